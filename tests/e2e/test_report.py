"""What stands behind the report: suites of recipes, names from DNS answers, bounds, agreement with the recipes alone."""
import json
import struct

import pytest
from support import each_capture, path_of, pcap, supported, udp_frame, whole

SERVER, CLIENT, HOST = "192.0.2.53", "192.0.2.7", "198.51.100.7"


def name(*labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def answer(question, records, flags=0x8180, questions=1, answers=None):
    head = struct.pack(">HHHHHH", 7, flags, questions, len(records) if answers is None else answers, 0, 0)
    return head + question + struct.pack(">HH", 1, 1) + b"".join(records)


def record(data, kind=1, owner=b"\xc0\x0c"):
    return owner + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


A_RECORD = record(bytes([198, 51, 100, 7]))


def named(sluice, *payloads):
    """The name that the report gives to the destination of a flow to HOST after these answers."""
    packets = [(1 + i, 0, udp_frame(SERVER, CLIENT, 53, 4000 + i, payload)) for i, payload in enumerate(payloads)]
    packets.append((99, 0, udp_frame(CLIENT, HOST, 5000, 443, b"hello")))
    done = sluice("report", "-q", "-T", "json", "-", stdin=pcap(packets))
    assert done.returncode == 0, done.stderr
    return next(f["name"] for f in json.loads(done.stdout)["flows"] if f["dst"] == HOST)


def test_name_of_an_address(sluice):
    assert named(sluice, answer(name(b"WWW", b"example", b"com"), [A_RECORD])) == "www.example.com"


def test_behind_an_alias(sluice):
    alias = record(name(b"edge", b"example", b"net"), kind=5)
    assert named(sluice, answer(name(b"www", b"example", b"com"),
                                [alias, record(bytes([198, 51, 100, 7]), owner=name(b"edge", b"example", b"net"))])) \
        == "www.example.com"


def test_the_name_given_most_often(sluice):
    other = answer(name(b"other"), [A_RECORD])
    assert named(sluice, answer(name(b"once"), [A_RECORD]), other, other) == "other"


@pytest.mark.parametrize("payload", [
    b"", b"\0" * 11, b"\xff" * 40,
    answer(name(b"q"), [A_RECORD], flags=0x0100),  # a question
    answer(name(b"q"), [A_RECORD], questions=0),
    answer(name(b"q"), [A_RECORD], questions=2),
    answer(name(b"q"), [A_RECORD])[:-1],
    answer(name(b"q"), [record(bytes(3))]),
    answer(name(b"q"), [record(bytes([198, 51, 100, 7]), kind=28)]),
    answer(b"\x3f" + b"a" * 10, []),
    answer(b"\xc0\x0c", [A_RECORD]),  # a name that points at itself
    answer((b"\x01a" * 200) + b"\0", [A_RECORD]),
    answer(name(b"q"), [A_RECORD[:2]], answers=65535),
    answer(b"\0", [A_RECORD]),
], ids=range(14))
def test_answers_that_are_none(sluice, payload):
    assert named(sluice, payload) is None


def test_hostile_names_are_text_everywhere(sluice, tmp_path):
    bad = [b"<script>alert(1)</script>", b"=cmd|' /C calc'!A0", b"`touch PWNED`", b"\x1b[31mred", b"evil\xe2\x80\xaegpj",
           b"\"';DROP", b"T_END\n|", b"\xff\xfe"]
    packets = []
    for i, label in enumerate(bad):
        address = bytes([198, 51, 100, 100 + i])
        packets.append((i, 0, udp_frame(SERVER, CLIENT, 53, 4000, answer(name(label), [record(address)]))))
        packets.append((i, 1, udp_frame(CLIENT, "198.51.100.%d" % (100 + i), 5000, 443, b"x")))
    capture, page = tmp_path / "x.pcap", tmp_path / "x.html"
    capture.write_bytes(pcap(packets))
    done = sluice("report", "-q", capture, "-o", page, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "PWNED").exists()
    text = page.read_text(encoding="utf-8")
    assert "<script>alert(1)" not in text and "\\u003cscript>alert(1)\\u003c/script>" in text
    assert not set(text) & set("\x1b\u202e") and "\\\\x1b[31mred" in text and "evil\\\\u{202e}gpj" in text
    rows = sluice("report", "-q", "-T", "csv", capture).stdout.decode()
    assert "'=cmd|' /c calc'!a0" in rows


def test_statistics_is_a_suite(sluice, example):
    found = json.loads(sluice("statistics", "-q", "-T", "json", example).stdout)
    alone = json.loads(sluice("sizes", "-q", "-T", "json", example).stdout)
    assert found["duration_of_flows"] == alone["duration_of_flows"]
    assert sum(row["packets"] for row in found["size_of_packets_in_bytes"]) == 48111


def test_durations_lose_no_flow(sluice, example):
    """Flows of one packet, of no time and of a second are all in some class."""
    found = json.loads(sluice("sizes", "-q", "-T", "json", example).stdout)
    flows = sum(n for row in found["duration_of_flows"] for key, n in row.items() if key not in ("from", "to"))
    assert flows == json.loads(sluice("summary", "-q", "-T", "json", example).stdout)["flows"]


def test_hours_and_timeline_add_up(sluice, example):
    summary = json.loads(sluice("summary", "-q", "-T", "json", example).stdout)
    hours = json.loads(sluice("hours", "-q", "-T", "json", example).stdout)
    for rows in (hours["hours"], hours["five_minutes"], json.loads(sluice("timeline", "-q", "-T", "json", example).stdout)):
        assert sum(row["bytes"] for row in rows) == summary["bytes"]
        assert sum(row.get("flows", row.get("new_flows")) for row in rows) == summary["flows"]


def test_addresses_add_up(sluice, example):
    found = json.loads(sluice("addresses", "-q", "-T", "json", example).stdout)["addresses"]
    flows = [json.loads(line) for line in sluice("flows", "-q", "-T", "jsonl", example).stdout.splitlines()]
    assert sum(row["flows_src"] for row in found) == len(flows)
    assert sum(row["sent"] for row in found) == sum(f["bytes_src"] + f["bytes_dst"] for f in flows)
    assert {row["address"] for row in found} == {f["src"] for f in flows} | {f["dst"] for f in flows}
    for row in found:
        assert sum(row["timeline"]) == row["flows"]


def test_bounds_of_a_page(sluice, example, tmp_path):
    page = tmp_path / "x.html"
    assert sluice("report", "-q", "--flows", "7", "--hosts", "3", example, "-o", page).returncode == 0
    data = page.read_text().split('id="data">')[1].split("</script>")[0]
    views = {view["name"]: view for view in json.loads(data)["views"]}
    assert len(views["flows"]["rows"]) == 7 and views["flows"]["total"] == 3209
    assert len(views["addresses"]["rows"]) == 3 and views["addresses"]["total"] == 89


def test_filters_stand_in_the_page(sluice, example, tmp_path):
    page = tmp_path / "x.html"
    done = sluice("report", "-q", "-f", "tcp", "-Y", "ip", "-F", "flow.bytes > 1000", example, "-o", page)
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    for line in ("-f tcp", "-Y ip", "-F flow.bytes &gt; 1000"):
        assert "<code>%s</code>" % line in text


@each_capture(supported, whole)
def test_flows_of_the_report_are_the_largest(sluice, entry):
    """And the report of every capture is whole."""
    done = sluice("report", "-q", "-T", "json", path_of(entry))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["flows"]
    flows = [json.loads(line) for line in sluice("flows", "-q", "-T", "jsonl", path_of(entry)).stdout.splitlines()]
    sizes = sorted((f["bytes_src"] + f["bytes_dst"] for f in flows), reverse=True)
    assert [f["bytes"] for f in found] == sizes[:5000]


def test_dark_pictures_and_wrong_themes(sluice, example, tmp_path):
    for theme in ("light", "dark"):
        done = sluice("timeline", "-q", example, "-o", tmp_path / (theme + ".svg"), "--theme", theme)
        assert done.returncode == 0, done.stderr
    assert "#16191d" in (tmp_path / "dark.svg").read_text() and "#ffffff" in (tmp_path / "light.svg").read_text()
    done = sluice("timeline", "-q", example, "-o", tmp_path / "x.svg", "--theme", "pink")
    assert done.returncode == 2 and b"light or dark" in done.stderr


def test_no_color_but_on_a_terminal(sluice, example):
    assert b"\x1b[" not in sluice("talkers", "-q", example).stdout
