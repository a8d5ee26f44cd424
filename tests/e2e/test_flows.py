"""sluice flows: the keys and totals of truth.json, tshark's conversations, the order of decision."""
import collections
import csv
import io
import json

import pytest

import support
from support import (compressed, each_capture, fragmented, json_lines, path_of, plain, same_layers, supported, tcp_frame,
                     udp_frame, whole)

KEYS = ["first", "last", "duration", "proto", "src", "sport", "dst", "dport", "packets_src", "packets_dst",
        "bytes_src", "bytes_dst", "payload_src", "payload_dst", "state", "history", "service", "src_country",
        "dst_country", "end", "rtt", "rtt_src", "rtt_dst", "retransmitted_src", "retransmitted_dst", "missed_src",
        "missed_dst"]

# (file, protocol): (five-tuples in truth.json, in sluice, why).
EXCEPTIONS = {}

# Captures whose TCP flows are tshark's tcp.stream: neither tunnels, nor segments quoted in ICMP errors,
# nor fragments.
TCP_IS_TSHARKS = [plain, lambda entry: same_layers(entry, "tcp"),
                  lambda entry: not fragmented(entry),
                  lambda entry: entry["conversations"]["tcp"] > 0]


def flows(sluice, *args, status=0, **how):
    done = sluice("flows", *args, "-T", "jsonl", **how)
    assert done.returncode == status, done.stderr
    return json_lines(done.stdout)


def key(flow):
    """Of both directions alike."""
    return (flow["proto"],) + tuple(sorted([(flow["src"], flow["sport"]), (flow["dst"], flow["dport"])]))


@each_capture(supported, lambda entry: entry["packets"] > 0 and not compressed(entry))
def test_five_tuples(sluice, entry):
    """Of every capture; of one that is cut those before the cut."""
    got = flows(sluice, path_of(entry), "--idle", "0", status=0 if whole(entry) else 1)
    keys = collections.Counter(k[0] for k in {key(flow) for flow in got})
    differ = {}
    for proto in ("tcp", "udp", "sctp"):
        want = entry["outer"][proto + "_flows"]
        if keys[proto] != want:
            differ[proto] = (want, keys[proto])
    assert differ == {proto: case[:2] for (file, proto), case in EXCEPTIONS.items() if file == entry["file"]}


@each_capture(plain, lambda entry: entry["outer"]["top_flows"] and not fragmented(entry))
def test_largest_flows(sluice, entry):
    """Packets and bytes in each direction of the five largest, whatever reuse split."""
    sums = collections.defaultdict(collections.Counter)
    for flow in flows(sluice, path_of(entry), "--idle", "0"):
        src, dst = (flow["src"], flow["sport"]), (flow["dst"], flow["dport"])
        for end, side in ((src, "src"), (dst, "dst")):
            sums[key(flow)][(end, "packets")] += flow["packets_" + side]
            sums[key(flow)][(end, "bytes")] += flow["bytes_" + side]
    for want in entry["outer"]["top_flows"]:
        a, b = ((address, int(port)) for address, port in (want["a"].split(), want["b"].split()))
        got = sums[(want["proto"],) + tuple(sorted([a, b]))]
        if a == b:  # both directions have one address and port: only their sum has a meaning
            assert got[(a, "bytes")] == want["bytes_ab"] + want["bytes_ba"]
            continue
        assert [got[(a, "packets")], got[(b, "packets")], got[(a, "bytes")], got[(b, "bytes")]] == \
            [want["packets_ab"], want["packets_ba"], want["bytes_ab"], want["bytes_ba"]], want


@each_capture(*TCP_IS_TSHARKS)
def test_tcp_flows_are_tsharks(sluice, entry):
    got = flows(sluice, path_of(entry), "--idle", "0")
    assert sum(flow["proto"] == "tcp" for flow in got) == entry["conversations"]["tcp"]


@each_capture(plain)
def test_sums_agree_with_summary(sluice, entry):
    """Every flow has its packets; TCP and UDP packets are all in flows, with all their bytes."""
    got = flows(sluice, path_of(entry))
    total = json.loads(sluice("summary", path_of(entry), "-T", "json").stdout)
    assert len(got) == total["flows"]
    fragments = total["protocols"].get("fragment", {"packets": 0})["packets"]
    assert bool(fragments) <= fragmented(entry)
    for proto in ("tcp", "udp", "sctp"):
        mine = [flow for flow in got if flow["proto"] == proto]
        have = total["protocols"].get(proto, {"packets": 0, "bytes": 0})
        packets = sum(flow["packets_src"] + flow["packets_dst"] for flow in mine)
        carried = sum(flow["bytes_src"] + flow["bytes_dst"] for flow in mine)
        if fragments:  # later fragments have no transport but belong to a flow
            assert have["packets"] <= packets <= have["packets"] + fragments
        else:
            assert (packets, carried) == (have["packets"], have["bytes"])


@each_capture(plain, lambda entry: entry["size"] < 500_000)
def test_forms_agree(sluice, entry):
    done = sluice("flows", path_of(entry), "-T", "jsonl")
    lines = json_lines(done.stdout, parse_float=str)
    assert all(list(flow) == KEYS for flow in lines)
    done = sluice("flows", path_of(entry), "-T", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout, parse_float=str) == lines
    for form, delimiter in (("csv", ","), ("tsv", "\t")):
        text = sluice("flows", path_of(entry), "-T", form).stdout.decode()
        table = list(csv.reader(io.StringIO(text), delimiter=delimiter))
        assert table[0] == KEYS
        assert table[1:] == [["" if flow[key] is None else str(flow[key]) for key in KEYS] for flow in lines]


@each_capture(plain, lambda entry: entry["file"] in ("sctp-http.pcap", "null-loopback.pcap", "pcapng-home-154-flows.pcapng",
                                                    "qinq-pppoe-ipv6.pcap", "pcapng-ethernet-and-cooked.pcapng"))
def test_pipe_equals_file(sluice, entry):
    with open(path_of(entry), "rb") as file:
        data = file.read()
    assert sluice("flows", "-", "-T", "jsonl", stdin=data).stdout == \
        sluice("flows", path_of(entry), "-T", "jsonl").stdout


def test_count_limit(sluice, example):
    got = flows(sluice, example, "-c", "1000")
    assert sum(f["packets_src"] + f["packets_dst"] for f in got) <= 1000
    counted = json.loads(sluice("count", example, "-c", "1000", "-T", "json").stdout)
    assert counted["packets"] == 1000


# --- Flow semantics on captures made here: (seconds, frame) each.

A, B = "192.0.2.1", "198.51.100.2"
FIN, SYN, RST, ACK = 1, 2, 4, 16


def of(sluice, tmp_path, packets, *args):
    path = tmp_path / "made.pcap"
    path.write_bytes(support.pcap([(int(at), int(round(at % 1 * 1e6)), frame) for at, frame in packets]))
    return flows(sluice, path, *args)


def forth(flags, seq=1, port=1000, **more):
    return tcp_frame(A, B, port, 80, flags, seq, **more)


def back(flags, seq=1, port=1000, **more):
    return tcp_frame(B, A, 80, port, flags, seq, **more)


def test_totals_of_both_directions(sluice, tmp_path):
    (flow,) = of(sluice, tmp_path, [(10, forth(SYN)), (10.5, back(SYN | ACK)), (11, forth(ACK, 2, payload=b"x" * 100)),
                                    (11.25, back(ACK, 2, payload=b"y" * 7))])
    want = {"first": "10.000000000", "last": "11.250000000", "duration": 1.25, "proto": "tcp", "src": A, "sport": 1000,
            "dst": B, "dport": 80, "packets_src": 2, "packets_dst": 2, "bytes_src": 54 + 154, "bytes_dst": 54 + 61,
            "payload_src": 100, "payload_dst": 7, "end": "eof"}
    assert {k: flow[k] for k in want} == want


def test_originator_of_a_syn_ack_is_its_receiver(sluice, tmp_path):
    (flow,) = of(sluice, tmp_path, [(1, back(SYN | ACK)), (2, forth(ACK))])
    assert (flow["src"], flow["packets_src"], flow["packets_dst"]) == (A, 1, 1)


def test_originator_without_handshake_is_the_first_sender(sluice, tmp_path):
    (flow,) = of(sluice, tmp_path, [(1, back(ACK)), (2, forth(ACK))])
    assert (flow["src"], flow["sport"]) == (B, 80)


@pytest.mark.parametrize("frame, timeout", [(forth(ACK), 300), (udp_frame(A, B, 1000, 53), 60)], ids=["tcp", "udp"])
def test_idle_is_a_flows_own_gap(sluice, tmp_path, frame, timeout):
    assert len(of(sluice, tmp_path, [(0, frame), (timeout, frame)])) == 1
    got = of(sluice, tmp_path, [(0, frame), (timeout + 1, frame)])
    assert [flow["end"] for flow in got] == ["idle", "eof"]
    assert len(of(sluice, tmp_path, [(0, frame), (timeout + 1, frame)], "--idle", "0")) == 1
    assert len(of(sluice, tmp_path, [(0, frame), (5, frame)], "--idle", "4")) == 2


def test_a_packet_from_the_future_ends_nothing(sluice, tmp_path):
    steady = [(at, udp_frame(A, B, 1000, 53)) for at in range(0, 200, 20)]
    odd = [(4e9, udp_frame(A, B, 7, 7))]
    got = of(sluice, tmp_path, steady[:3] + odd + steady[3:])
    assert [f["packets_src"] for f in got if f["dport"] == 53] == [len(steady)]


def test_time_going_back_belongs_to_its_flow(sluice, tmp_path):
    (flow,) = of(sluice, tmp_path, [(1000, forth(ACK)), (500, forth(ACK)), (1001, back(ACK))])
    assert (flow["first"], flow["last"], flow["packets_src"]) == ("500.000000000", "1001.000000000", 2)


def test_reuse_is_a_syn_with_another_sequence_number(sluice, tmp_path):
    again = [(1, forth(SYN, 100)), (2, forth(SYN, 100)), (3, forth(SYN, 200)), (4, back(SYN | ACK, 7))]
    got = of(sluice, tmp_path, again)
    assert [(f["end"], f["packets_src"], f["packets_dst"]) for f in got] == [("reuse", 2, 0), ("eof", 1, 1)]


def test_a_fin_or_rst_splits_nothing(sluice, tmp_path):
    (flow,) = of(sluice, tmp_path, [(1, forth(SYN)), (2, forth(FIN | ACK)), (3, back(RST)), (4, forth(ACK))])
    assert (flow["end"], flow["packets_src"]) == ("rst", 3)


def test_order_of_decision(sluice, tmp_path):
    """idle: last + timeout; FIN of both or RST: last + 5 s; reuse: the SYN; else the end, by first."""
    packets = [
        (0, udp_frame(A, B, 1, 53)),  # idle, decided at 60
        (1, forth(SYN, port=2)), (2, forth(FIN | ACK, port=2)), (58, back(FIN | ACK, port=2)),  # fin at 63
        (3, forth(SYN, port=3)), (30, back(RST, port=3)),  # rst at 35
        (4, forth(SYN, 9, port=4)), (20, forth(SYN, 99, port=4)),  # reuse at 20, then the end
        (5, forth(ACK, port=5)),  # the end
        (100, udp_frame(A, B, 6, 53)),  # the end
    ]
    got = of(sluice, tmp_path, sorted(packets, key=lambda packet: packet[0]))
    assert [(f["sport"], f["end"]) for f in got] == [(4, "reuse"), (3, "rst"), (1, "idle"), (2, "fin"), (5, "eof"),
                                                     (4, "eof"), (6, "eof")]
    still = of(sluice, tmp_path, sorted(packets, key=lambda packet: packet[0]), "--idle", "0")
    assert [(f["sport"], f["end"]) for f in still] == [(4, "reuse"), (1, "eof"), (2, "eof"), (3, "eof"), (5, "eof"),
                                                       (4, "eof"), (6, "eof")]


def test_max_flows_ends_the_longest_idle_and_says_so(sluice, tmp_path):
    path = tmp_path / "many.pcap"
    path.write_bytes(support.pcap([(at, 0, udp_frame(A, B, 1000 + at, 53)) for at in range(20)]))
    done = sluice("flows", path, "--max-flows", "5", "-T", "jsonl")
    got = json_lines(done.stdout)
    assert len(got) == 20
    assert [f["sport"] for f in got if f["end"] == "evicted"] == list(range(1000, 1015))
    assert b"15" in done.stderr and b"--max-flows" in done.stderr


def test_text_says_how_many_more(sluice, example):
    every = flows(sluice, example)
    text = sluice("flows", example, "--top", "7").stdout.decode()
    assert str(len(every) - 7) in text.replace(",", "") and "more" in text
    largest = sorted(every, key=lambda f: -(f["bytes_src"] + f["bytes_dst"]))[0]
    assert largest["src"] in text and largest["dst"] in text
