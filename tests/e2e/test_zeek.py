"""flows -T zeek: a conn.log, read back by a small parser of Zeek's ASCII format."""
import ipaddress
import re

import pytest

import support
from support import compressed, each_capture, json_lines, path_of, supported, tcp_frame, udp_frame, whole

# base/protocols/conn/main.zeek: Conn::Info, in its order.
FIELDS = [("ts", "time"), ("uid", "string"), ("id.orig_h", "addr"), ("id.orig_p", "port"), ("id.resp_h", "addr"),
          ("id.resp_p", "port"), ("proto", "enum"), ("service", "string"), ("duration", "interval"),
          ("orig_bytes", "count"), ("resp_bytes", "count"), ("conn_state", "string"), ("local_orig", "bool"),
          ("local_resp", "bool"), ("missed_bytes", "count"), ("history", "string"), ("orig_pkts", "count"),
          ("orig_ip_bytes", "count"), ("resp_pkts", "count"), ("resp_ip_bytes", "count"),
          ("tunnel_parents", "set[string]"), ("ip_proto", "count")]
STATES = {"S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"}


def count(text):
    assert re.fullmatch(r"\d+", text), text
    return int(text)


def microseconds(text):
    """As an integer: Zeek writes six decimals."""
    assert re.fullmatch(r"-?\d+\.\d{6}", text), text
    return int(text.replace(".", ""))


def port(text):
    assert count(text) < 65536
    return int(text)


READ = {"time": microseconds, "interval": microseconds, "string": str, "enum": str, "addr": ipaddress.ip_address,
        "port": port, "count": count, "bool": {"T": True, "F": False}.__getitem__, "set[string]": lambda text: text}


def unescaped(text):
    return re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), text)


def parse(data):
    """(header, [{field: value, None where unset}])."""
    lines = data.decode("ascii").splitlines()
    assert lines[0] == "#separator \\x09"
    header, rows = {}, []
    for line in lines[1:]:
        if line.startswith("#"):
            name, *values = line[1:].split("\t")
            header[name] = values
            continue
        cells = line.split("\t")
        assert len(cells) == len(header["fields"]), line
        rows.append({name: None if cell == header["unset_field"][0] else READ[kind](unescaped(cell))
                     for name, kind, cell in zip(header["fields"], header["types"], cells)})
    return header, rows


def conn_log(sluice, *args, status=0):
    done = sluice("flows", *args, "-T", "zeek")
    assert done.returncode == status, done.stderr
    return parse(done.stdout)


def test_header(sluice, example):
    header, rows = conn_log(sluice, example)
    assert list(zip(header["fields"], header["types"])) == FIELDS
    assert (header["set_separator"], header["empty_field"], header["path"]) == ([","], ["(empty)"], ["conn"])
    assert re.fullmatch(r"\d{4}(-\d\d){5}", header["open"][0]) and header["open"] <= header["close"]
    assert len(rows) > 1000


@each_capture(supported, lambda entry: entry["packets"] > 0 and not compressed(entry))
def test_every_flow_of_every_capture(sluice, entry):
    """A row a flow, in the same order; what both forms have is the same, whoever is the originator."""
    status = 0 if whole(entry) else 1
    _, rows = conn_log(sluice, path_of(entry), status=status)
    done = sluice("flows", path_of(entry), "-T", "jsonl")
    want = json_lines(done.stdout)
    assert len(rows) == len(want)
    assert len({row["uid"] for row in rows}) == len(rows)
    for row, flow in zip(rows, want):
        a, b = ("src", "sport"), ("dst", "dport")
        ends = [(ipaddress.ip_address(flow[host]), flow[number]) for host, number in (a, b)]
        got = [(row["id.orig_h"], row["id.orig_p"]), (row["id.resp_h"], row["id.resp_p"])]
        swapped = got != ends
        assert got == (ends[::-1] if swapped else ends)
        assert not swapped or flow["proto"] in ("tcp", "udp")
        sides = ("dst", "src") if swapped else ("src", "dst")
        assert (row["orig_pkts"], row["resp_pkts"]) == tuple(flow["packets_" + side] for side in sides)
        assert row["orig_ip_bytes"] + row["resp_ip_bytes"] <= flow["bytes_src"] + flow["bytes_dst"] \
            or entry["file"].startswith("malformed")
        assert row["ts"] == int(flow["first"].replace(".", "")[:-3])
        assert row["conn_state"] in STATES and re.fullmatch(r"C[0-9a-zA-Z]{8,22}", row["uid"])
        assert (row["duration"] is None) == (row["orig_bytes"] is None) == (flow["duration"] == 0)
        if not swapped and flow["history"][:1] not in ("h", ""):
            assert (row["conn_state"], row["history"] or "") == (flow["state"], flow["history"])
        if swapped:
            assert "^" in row["history"] or row["history"].startswith("H")


A, B = "10.1.2.3", "198.18.7.7"
FIN, SYN, RST, ACK = 1, 2, 4, 16


def made(tmp_path, frames):
    path = tmp_path / "made.pcap"
    path.write_bytes(support.pcap([(1700000000 + i // 4, i % 4 * 250000, frame) for i, frame in enumerate(frames)]))
    return path


def test_one_connection(sluice, tmp_path):
    (row,) = conn_log(sluice, made(tmp_path, [
        tcp_frame(A, B, 50000, 443, SYN, 100), tcp_frame(B, A, 443, 50000, SYN | ACK, 900, 101),
        tcp_frame(A, B, 50000, 443, ACK, 101, 901, b"x" * 10), tcp_frame(B, A, 443, 50000, ACK, 911, 111, b"y" * 20),
        tcp_frame(A, B, 50000, 443, ACK, 111, 931), tcp_frame(A, B, 50000, 443, FIN | ACK, 111, 931),
        tcp_frame(B, A, 443, 50000, FIN | ACK, 931, 112)]))[1]
    uid = row.pop("uid")
    assert re.fullmatch(r"C[0-9a-zA-Z]{8,22}", uid)
    assert row == {
        "ts": 1700000000000000, "id.orig_h": ipaddress.ip_address(A), "id.orig_p": 50000,
        "id.resp_h": ipaddress.ip_address(B), "id.resp_p": 443, "proto": "tcp", "service": "https", "duration": 1500000,
        "orig_bytes": 10, "resp_bytes": 30, "conn_state": "SF", "local_orig": True, "local_resp": True,
        "missed_bytes": 10, "history": "ShDdAgFf", "orig_pkts": 4, "orig_ip_bytes": 4 * 40 + 10, "resp_pkts": 3,
        "resp_ip_bytes": 3 * 40 + 20, "tunnel_parents": None, "ip_proto": 6}


def test_roles_by_well_known_ports(sluice, tmp_path):
    """A server's answer that comes first, TCP and UDP; ICMP has types for ports and is never turned."""
    ping = support.ethernet(support.ipv4(A, B, 1, b"\x08\0\0\0\0\1\0\1" + b"p" * 16))
    pong = support.ethernet(support.ipv4(B, A, 1, b"\0\0\0\0\0\1\0\1" + b"p" * 16))
    rows = conn_log(sluice, made(tmp_path, [
        tcp_frame(B, A, 443, 50000, ACK, 5, 5, b"data"), tcp_frame(A, B, 50000, 443, ACK, 5, 9),
        udp_frame(B, A, 53, 50001, b"answer"), udp_frame(A, B, 50002, 53, b"question"), ping, pong]))[1]
    tcp, answer, question, icmp = sorted(rows, key=lambda row: row["ts"])
    assert (tcp["id.orig_p"], tcp["id.resp_p"], tcp["history"], tcp["conn_state"]) == (50000, 443, "^dA", "OTH")
    assert (tcp["orig_bytes"], tcp["resp_bytes"], tcp["service"]) == (0, 4, "https")
    assert (answer["id.orig_p"], answer["history"], answer["conn_state"]) == (50001, "^d", "SHR")
    assert (answer["duration"], answer["orig_bytes"], answer["resp_pkts"]) == (None, None, 1)
    assert (question["id.orig_p"], question["history"], question["conn_state"]) == (50002, "D", "S0")
    assert (icmp["id.orig_p"], icmp["id.resp_p"], icmp["conn_state"], icmp["history"]) == (8, 0, "OTH", None)
    assert (icmp["proto"], icmp["orig_bytes"], icmp["resp_bytes"], icmp["ip_proto"]) == ("icmp", 16, 16, 1)


def test_the_same_capture_gives_the_same_log(sluice, example):
    first, second = (sluice("flows", example, "-T", "zeek").stdout for _ in range(2))
    assert first == second


def test_no_flows(sluice, tmp_path):
    header, rows = conn_log(sluice, made(tmp_path, []))
    assert list(zip(header["fields"], header["types"])) == FIELDS
    assert rows == []


@pytest.mark.parametrize("recipe", ["summary", "flows,summary", "packets"])
def test_other_recipes_have_no_such_form(sluice, example, recipe):
    done = sluice(recipe, example, "-T", "zeek")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"flows" in done.stderr
