"""Several inputs as one capture: ordered by time, merged where they overlap, flows that span them."""
import struct

import pytest

HEADER = struct.calcsize("<IHHiIII")


def records(data):
    at = HEADER
    while at < len(data):
        size = 16 + struct.unpack_from("<I", data, at + 8)[0]
        yield data[at:at + size]
        at += size


@pytest.fixture(scope="module")
def whole(example):
    return open(example, "rb").read()


def write(path, whole, chosen):
    path.write_bytes(whole[:HEADER] + b"".join(chosen))
    return path


@pytest.mark.parametrize("recipe", ["flows", "talkers", "timeline", "packets"])
def test_rotated_files_in_any_order(sluice, example, whole, tmp_path, recipe):
    """Flows span the files; the order on the command line does not matter."""
    all_records = list(records(whole))
    cuts = [0, 9000, 9001, 30000, len(all_records)]
    parts = [write(tmp_path / ("part%d.pcap" % i), whole, all_records[a:b])
             for i, (a, b) in enumerate(zip(cuts, cuts[1:]))]
    expected = sluice(recipe, example, "-T", "jsonl").stdout
    assert sluice(recipe, *parts, "-T", "jsonl").stdout == expected
    assert sluice(recipe, *reversed(parts), "-T", "jsonl").stdout == expected


def test_overlapping_inputs_are_merged(sluice, example, whole, tmp_path):
    """Every third packet in a file of its own, as two interfaces would write them."""
    all_records = list(records(whole))
    one = write(tmp_path / "one.pcap", whole, [r for i, r in enumerate(all_records) if i % 3])
    two = write(tmp_path / "two.pcap", whole, [r for i, r in enumerate(all_records) if not i % 3])
    expected = sluice("flows", example, "-T", "jsonl").stdout
    assert sluice("flows", one, two, "-T", "jsonl").stdout == expected


def test_a_cut_input_does_not_hide_the_others(sluice, whole, tmp_path):
    all_records = list(records(whole))
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(whole[:HEADER] + b"".join(all_records[:100]) + all_records[100][:20])
    rest = write(tmp_path / "rest.pcap", whole, all_records[100:200])
    done = sluice("count", cut, rest, "-T", "json")
    assert done.returncode == 1
    assert b'"packets":200' in done.stdout
    assert b"cut.pcap" in done.stderr and done.stderr.count(b"\n") == 1


def test_url_file_takes_paths_of_several_inputs(sluice, whole, tmp_path):
    all_records = list(records(whole))
    one = write(tmp_path / "one.pcap", whole, all_records[:50])
    two = write(tmp_path / "two.pcap", whole, all_records[50:120])
    listed = tmp_path / "list"
    listed.write_text("# two files\n%s\n\n%s\n" % (one, two))
    assert b'"packets":120' in sluice("count", "--url-file", listed, "-T", "json").stdout
