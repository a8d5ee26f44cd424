"""sluice summary against what tshark and capinfos say of other people's captures."""
import json
import os
import re
from decimal import Decimal

import pytest

import support
from support import each_capture, outer, path_of, supported, whole

# Where sluice's meaning of a count differs from the one in truth.json, and why:
# (file, protocol): (truth's count, sluice's count, frames and reason).
EXCEPTIONS = {}

# file: (truth's time, sluice's, frame and reason); first and last alike.
TIMES = {
    "malformed/fuzzed-file-header.pcap": (
        "980658802.1882137472", "980658803.882137472",
        "frame 1: its nanoseconds are 1882137472; tshark prints them behind the point, sluice carries the second"),
}

FILTERS = ("ip", "ipv6", "tcp", "udp", "icmp", "icmpv6", "arp", "vlan")


def summary(sluice, path, *more, **how):
    done = sluice("summary", path, "-T", "json", *more, **how)
    return done, json.loads(done.stdout) if done.stdout else None


def stamp(entry, key):
    """truth.json's time with all nine digits: it writes zero as 0E-9."""
    text = entry.get(key)
    if entry["file"] in TIMES:
        assert text == TIMES[entry["file"]][0]
        return TIMES[entry["file"]][1]
    return text and format(Decimal(text), ".9f")


def accounted(got):
    """Packets that stand under the name of a network protocol, or under the reason why they have none."""
    for name, packets in got["network"].items():
        assert packets <= got["protocols"][name]["packets"]
    for name in ("ip", "ipv6", "arp"):
        assert got["network"].get(name) == got["protocols"].get(name, {"packets": None})["packets"]
    assert sum(got["incomplete"].values()) <= got["packets"]
    return sum(got["network"].values()) + sum(got["skipped"].values())


def one_line(done):
    """The only line on standard error."""
    text = done.stderr.decode()
    assert text.count("\n") == 1 and text.endswith("\n"), text
    return text


@each_capture(supported)
def test_totals(sluice, entry):
    done, got = summary(sluice, path_of(entry))
    want = {"packets": entry["packets"], "bytes": entry["wire_bytes"], "captured_bytes": entry["captured_bytes"],
            "first": stamp(entry, "min_ts"), "last": stamp(entry, "max_ts")}
    if got is None:  # refused at the file's header: there is no packet to report
        assert entry["packets"] == 0 and not whole(entry)
    else:
        assert {key: got[key] for key in want} == want
    if whole(entry):
        assert (done.returncode, done.stderr) == (0, b"")
    else:
        assert done.returncode == 1
        line = one_line(done)
        assert path_of(entry) in line
        assert re.search(r"(byte|offset) \d+", line)


def test_offset_of_a_cut_is_that_of_the_record(sluice, capture):
    path = capture("malformed/cut-short-in-last-packet.pcap")
    with open(path, "rb") as file:
        cut_at = support.pcap_records(file.read())[-1][1]
    done, got = summary(sluice, path)
    assert got["truncated"] is True
    assert str(cut_at) in re.findall(r"\d+", one_line(done).replace(path, ""))


@each_capture(supported, lambda entry: entry["packets"] > 0)
def test_protocols(sluice, entry):
    """Outermost headers, as tshark's fields show them; of a cut capture those before the cut."""
    _, got = summary(sluice, path_of(entry))
    want = {name: outer(entry, name) for name in FILTERS}
    # "ip" and "ipv6" as a transport are tunnels; the names are taken by the network layer.
    want.update({name: n for name, n in entry["outer"]["transport"].items() if name not in ("ip", "ipv6")})
    differ = {}
    for name, count in want.items():
        have = got["protocols"].get(name, {"packets": 0})["packets"]
        if have != count:
            differ[name] = (count, have)
    known = {name: case[:2] for (file, name), case in EXCEPTIONS.items() if file == entry["file"]}
    assert differ == known


@each_capture(supported, lambda entry: entry["packets"] > 0)
def test_conservation(sluice, entry):
    """Every packet is at one place: a network protocol with a name, or a reason for none."""
    _, got = summary(sluice, path_of(entry))
    assert accounted(got) == got["packets"] == entry["packets"]


def test_foreign_format_is_named(sluice, capture):
    done = sluice("summary", capture("malformed/foreign-format.snoop"), "-T", "json")
    assert done.returncode == 1 and done.stdout == b""
    assert "snoop" in one_line(done).replace("foreign-format.snoop", "")


def test_old_version_is_named(sluice, capture):
    done = sluice("summary", capture("malformed/version-1.4.pcap"))
    assert done.returncode == 1 and done.stdout == b""
    assert "1.4" in one_line(done).replace("version-1.4.pcap", "")


@pytest.mark.parametrize("data", [b"", b"\xd4", b"\xd4\xc3\xb2\xa1", b"GET / HTTP/1.1\r\n" * 9, b"\0" * 4096,
                                  b"PK\x03\x04" + b"\0" * 64],
                         ids=["empty", "one byte", "magic only", "text", "zeros", "zip"])
def test_no_capture_at_all(sluice, tmp_path, data):
    path = tmp_path / "not a capture"
    path.write_bytes(data)
    for args in ([path], ["-"]):
        done = sluice("summary", *args, stdin=data)
        assert done.returncode == 1
        one_line(done)


def test_no_packets(sluice, tmp_path):
    path = tmp_path / "empty.pcap"
    path.write_bytes(support.pcap([]))
    done, got = summary(sluice, path)
    assert done.returncode == 0
    assert (got["packets"], got["flows"], got["first"], got["last"]) == (0, 0, None, None)
    assert sluice("summary", path).returncode == 0


def test_keys_are_the_contract(sluice, example):
    done, got = summary(sluice, example)
    assert done.returncode == 0
    contract = ["inputs", "packets", "bytes", "captured_bytes", "first", "last", "duration", "link_types",
                "flows", "protocols", "skipped", "truncated"]
    assert [key for key in got if key in contract] == contract
    assert got["inputs"] == [example]
    assert got["link_types"] == ["EN10MB"]
    assert got["duration"] == pytest.approx(float(got["last"]) - float(got["first"]), abs=1e-6)
    assert got["bytes"] > got["captured_bytes"] > 0
    assert got["skipped"] == {} and got["truncated"] is False
    assert accounted(got) == got["packets"]
    assert os.path.getsize(example) == 24 + 16 * got["packets"] + got["captured_bytes"]


@each_capture(lambda entry: entry["file"] in (
    "pcap-nanosecond-big-endian.pcap", "pcapng-ethernet-and-cooked.pcapng", "pcapng-sections-of-both-endians.pcapng",
    "null-loopback.pcap", "malformed/zero-length-packets.pcap", "malformed/cut-short-in-last-packet.pcap"))
def test_pipe_equals_file(sluice, entry):
    with open(path_of(entry), "rb") as file:
        data = file.read()
    from_file, got_file = summary(sluice, path_of(entry))
    from_pipe, got_pipe = summary(sluice, "-", stdin=data)
    got_file.pop("inputs"), got_pipe.pop("inputs")
    assert got_pipe == got_file
    assert from_pipe.returncode == from_file.returncode
