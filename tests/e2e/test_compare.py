"""sluice compare: two captures side by side."""
import json

import pytest
from support import pcap, tcp_frame, udp_frame


@pytest.fixture
def sides(tmp_path):
    def frame(src, dst, port, size):
        return udp_frame(src, dst, 40000, port, b"x" * size)
    kept = [(1, 0, frame("10.0.0.1", "10.0.0.2", 53, 100)), (2, 0, frame("10.0.0.1", "10.0.0.3", 123, 50))]
    before, after = tmp_path / "before.pcap", tmp_path / "after.pcap"
    before.write_bytes(pcap(kept + [(3, 0, frame("10.0.0.9", "10.0.0.2", 53, 10))]))
    after.write_bytes(pcap(kept + [(3, 0, frame("10.0.0.1", "10.0.0.2", 53, 900)),
                                   (4, 0, tcp_frame("10.0.0.7", "10.0.0.2", 5000, 443, 2))]))
    return before, after


def test_new_gone_grown_and_same(sluice, sides):
    found = json.loads(sluice("compare", "-q", "-T", "json", *sides).stdout)
    hosts = {row["address"]: row for row in found["addresses"]}
    assert {name: row["change"] for name, row in hosts.items()} == {
        "10.0.0.1": "grown", "10.0.0.2": "grown", "10.0.0.3": "same", "10.0.0.7": "new", "10.0.0.9": "gone"}
    assert hosts["10.0.0.1"]["bytes_before"] == 142 + 92 and hosts["10.0.0.1"]["bytes_after"] == 142 + 92 + 942
    assert hosts["10.0.0.1"]["difference"] == 942 and hosts["10.0.0.7"]["percent"] is None
    services = {row["service"]: row for row in found["services"]}
    assert services["https/tcp"]["change"] == "new" and services["ntp/udp"]["change"] == "same"
    differences = [abs(row["difference"]) for row in found["addresses"]]
    assert differences == sorted(differences, reverse=True)


def test_a_capture_and_itself(sluice, example):
    found = json.loads(sluice("compare", "-q", "-T", "json", example, example).stdout)
    for view in ("addresses", "services", "countries"):
        assert found[view] and all(row["change"] == "same" and row["difference"] == 0 for row in found[view])


def test_compare_counts_as_the_program_does(sluice, example):
    found = json.loads(sluice("compare", "-q", "-T", "json", example, example).stdout)
    talkers = json.loads(sluice("talkers", "-q", "-T", "json", example).stdout)
    wanted = {row["address"]: (row["bytes"], row["flows"]) for row in talkers}
    assert {row["address"]: (row["bytes_before"], row["flows_after"]) for row in found["addresses"]} == wanted


@pytest.mark.parametrize("inputs", [[], ["x"], ["x", "x", "x"]])
def test_compare_wants_two(sluice, example, inputs):
    done = sluice("compare", "-q", *[example for _ in inputs])
    assert done.returncode == 2 and (b"two captures" in done.stderr or b"no input" in done.stderr)


def test_compare_page_and_text(sluice, sides, tmp_path):
    text = sluice("compare", "-q", *sides).stdout.decode()
    assert "before.pcap" in text and "grown" in text
    done = sluice("compare", "-q", *sides, "-o", tmp_path / "compare.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "compare.html").read_text()
    assert "Comparison: before.pcap and after.pcap" in page


def test_a_side_that_cannot_be_read_to_its_end(sluice, sides):
    before, after = sides
    after.write_bytes(after.read_bytes()[:-3])
    done = sluice("compare", "-q", "-T", "json", before, after)
    assert done.returncode == 1 and json.loads(done.stdout)["addresses"]
