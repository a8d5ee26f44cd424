"""--checkpoint: a read that ends early leaves what it has, and the same command goes on from there; what both have written is
what an unbroken run writes, to the byte."""
import os
import resource
import signal
import subprocess
import time

import pytest

from httpd import Server
from support import EXAMPLE, PROGRAM, SLOWNESS, each_capture, path_of, supported, whole

RETRY = "tries=2 first_ms=20 most_ms=50 total_s=5 stall_s=1"
STREAMED = [("flows", "jsonl"), ("flows", "json"), ("flows", "csv"), ("flows", "tsv")]
WHOLE = [("flows", "text"), ("summary", "json"), ("talkers,protocols", "json"), ("timeline", "csv"), ("hours", "json"), ("addresses", "json"),
         ("report", "json"), ("count", "json"), ("bursts", "json"), ("http,tls", "json")]


@pytest.fixture(scope="module")
def data():
    with open(EXAMPLE, "rb") as file:
        return file.read()


def in_parts(sluice, path, data, cuts, *args):
    """Runs over a file that grows, each from the checkpoint of the one before; their outputs."""
    outputs = []
    for cut in cuts:
        path.write_bytes(data[:cut])
        done = sluice(*args, path, "--checkpoint", path.parent / "here")
        assert done.returncode == (0 if cut == len(data) else 1), done.stderr
        assert done.stderr.count(b"\n") == (0 if cut == len(data) else 1)
        if cut < len(data):
            assert b"goes on from byte" in done.stderr
        outputs.append(done.stdout)
    assert not (path.parent / "here").exists()
    return outputs


@pytest.mark.parametrize("recipe, form", STREAMED + WHOLE)
def test_a_file_that_grows(sluice, data, tmp_path, recipe, form):
    path = tmp_path / "x.pcap"
    outputs = in_parts(sluice, path, data, (1000001, 1100000, 5000003, len(data)), recipe, "-T", form)
    one = sluice(recipe, path, "-T", form, "-j", "1")
    if (recipe, form) in STREAMED:
        assert b"".join(outputs) == one.stdout
        assert outputs[2] and outputs[3]  # before, no flow is decided
    else:
        assert outputs[-1] == one.stdout
        assert outputs[0] and outputs[0] != outputs[-1]  # what was read is reported


@each_capture(supported, whole, lambda entry: "zero-length" not in entry["file"] and 10 < entry["packets"] < 20000 and not entry["file"].endswith((".gz", ".pcapng")))
def test_every_capture(sluice, tmp_path, entry):
    with open(path_of(entry), "rb") as file:
        capture = file.read()
    path = tmp_path / "x.pcap"
    cuts = [len(capture) * n // 4 + n for n in (1, 2, 3)] + [len(capture)]
    for at in range(3):  # a cut between two records is no error
        path.write_bytes(capture[:cuts[at]])
        while sluice("count", path).returncode != 1:
            cuts[at] -= 1
            path.write_bytes(capture[:cuts[at]])
    outputs = in_parts(sluice, path, capture, cuts, "flows", "-T", "jsonl", "--idle", "20")
    assert b"".join(outputs) == sluice("flows", path, "-T", "jsonl", "--idle", "20").stdout


def test_filters_are_kept(sluice, data, tmp_path):
    path = tmp_path / "x.pcap"
    options = ("-f", "ip", "-Y", "tcp || udp", "-F", "flow.packets > 3", "-T", "jsonl")
    outputs = in_parts(sluice, path, data, (2000001, 4000001, len(data)), "flows", *options)
    assert b"".join(outputs) == sluice("flows", path, *options).stdout


def test_a_broken_line_and_another_sas(sluice, data, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    here = tmp_path / "here"
    with Server({"x.pcap": data}) as server:
        first = sluice("flows", server.url("drop-at-2-MB", "x.pcap", "?sig=S3cr3tOne"), "-T", "jsonl", "--checkpoint", here,
                       env={"SLUICE_HTTP_RETRY": RETRY})
        assert first.returncode == 1 and b"goes on from byte" in first.stderr and b"S3cr3t" not in first.stderr
        assert b"S3cr3t" not in here.read_bytes()
        server.log.clear()
        second = sluice("flows", server.url("good", "x.pcap", "?sig=S3cr3tTwo"), "-T", "jsonl", "--checkpoint", here)
        assert second.returncode == 0 and second.stderr == b""
        assert sum(entry.sent for entry in server.log) < len(data) - 1000000  # what was read is not fetched again
    assert first.stdout + second.stdout == sluice("flows", EXAMPLE, "-T", "jsonl").stdout
    assert not here.exists()


def test_ctrl_c(sluice, data, tmp_path):
    """While it waits for another try."""
    here = tmp_path / "here"
    with Server({"x.pcap": data}) as server:
        args = [PROGRAM, "flows", server.url("drop-at-2-MB", "x.pcap"), "-T", "jsonl", "--checkpoint", str(here)]
        process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={
            **os.environ, "no_proxy": "127.0.0.1", "SLUICE_HTTP_RETRY": "tries=9 first_ms=20000 most_ms=20000 total_s=200 stall_s=100"})
        time.sleep(1.5 * SLOWNESS)
        process.send_signal(signal.SIGINT)
        first, errors = process.communicate(timeout=20 * SLOWNESS)
        assert process.returncode == 130 and b"interrupted" in errors and b"goes on from byte" in errors, errors
        second = sluice("flows", server.url("good", "x.pcap"), "-T", "jsonl", "--checkpoint", here, env={"no_proxy": "127.0.0.1"})
    assert second.returncode == 0 and first + second.stdout == sluice("flows", EXAMPLE, "-T", "jsonl").stdout


# --- What is refused.

def refused(done, *words, code=2):
    assert done.returncode == code, done.stderr
    assert done.stdout == b"" and done.stderr.count(b"\n") == 1
    for word in words:
        assert word.encode() in done.stderr, done.stderr


@pytest.fixture
def left(sluice, data, tmp_path):
    """A checkpoint of the first two megabytes, and the path of the whole."""
    path, here = tmp_path / "x.pcap", tmp_path / "here"
    path.write_bytes(data[:2000001])
    assert sluice("talkers", path, "-T", "json", "--checkpoint", here, "--idle", "7").returncode == 1
    path.write_bytes(data)
    return path, here


def test_another_run(sluice, left, data):
    path, here = left
    kept = here.read_bytes()
    refused(sluice("talkers", path, "-T", "csv", "--checkpoint", here, "--idle", "7"), "here", "form json", code=1)
    refused(sluice("summary", path, "-T", "json", "--checkpoint", here, "--idle", "7"), "here", "of talkers", code=1)
    refused(sluice("talkers", path, "-T", "json", "--checkpoint", here, "--idle", "8"), "idle", code=2)
    refused(sluice("merge", "talkers", here), "here", "checkpoint", code=1)
    path.write_bytes(data[:100] + b"x" + data[101:])
    refused(sluice("talkers", path, "-T", "json", "--checkpoint", here, "--idle", "7"), "another capture", code=1)
    path.write_bytes(data[:100000])
    refused(sluice("talkers", path, "-T", "json", "--checkpoint", here, "--idle", "7"), "another capture", code=1)
    here.write_bytes(kept[:-100] + b"x" + kept[-99:])
    refused(sluice("talkers", path, "-T", "json", "--checkpoint", here, "--idle", "7"), "here", "damaged", code=1)


def test_what_makes_no_sense(sluice, tmp_path, data):
    import gzip
    here, packed = tmp_path / "here", tmp_path / "x.pcap.gz"
    packed.write_bytes(gzip.compress(data[:100000], 1))
    refused(sluice("flows", EXAMPLE, EXAMPLE, "--checkpoint", here), "one input")
    refused(sluice("flows", packed, "--checkpoint", here), "compressed")
    refused(sluice("flows", "-", "--checkpoint", here), "standard input")
    refused(sluice("flows", EXAMPLE, "-T", "zeek", "--checkpoint", here), "conn.log")
    refused(sluice("examples/rate.lua", EXAMPLE, "--checkpoint", here), "interval")
    for options in (("-c", "5"), ("--from", "+1s"), ("--partial", tmp_path / "p"), ("--max-flows", "9")):
        refused(sluice("flows", EXAMPLE, "--checkpoint", here, *options), "--checkpoint", options[0])
    own = tmp_path / "own.lua"
    own.write_text("return { start = function() local n = 0 return { packet = function(p) n = n + p.len end } end }")
    refused(sluice(own, EXAMPLE, "--checkpoint", here), "line 1 writes the upvalue `n`")
    assert not here.exists()


def test_no_place_for_it(sluice, data, tmp_path):
    path = tmp_path / "x.pcap"
    path.write_bytes(data[:2000001])
    refused(sluice("flows", path, "--checkpoint", tmp_path / "no" / "here"), "here")


def test_a_full_disk(data, sluice, tmp_path):
    """The checkpoint is lost, and the one before stays; what was read is reported all the same, and its room is free."""
    path, here = tmp_path / "x.pcap", tmp_path / "here"

    def little_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000))

    def run(*args):
        return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, check=False, preexec_fn=little_room)

    path.write_bytes(data[:500001])
    assert run("talkers", path, "-T", "json", "--checkpoint", here).returncode == 1
    before = here.read_bytes()
    path.write_bytes(data[:5000001])
    done, one = run("talkers", path, "-T", "json", "--checkpoint", here), sluice("talkers", path, "-T", "json")
    assert done.returncode == one.returncode == 1 and done.stdout == one.stdout
    assert b"no checkpoint" in done.stderr and b"here: cannot write" in done.stderr
    assert here.read_bytes() == before and sorted(os.listdir(tmp_path)) == ["here", "x.pcap"]
    path.write_bytes(data)
    done = run("flows", path, "-T", "jsonl", "--checkpoint", tmp_path / "there", "-o", tmp_path / "flows.jsonl")
    assert done.returncode == 2 and not (tmp_path / "flows.jsonl").exists()  # no room for the result either
    done = run("talkers", path, "-T", "json", "--checkpoint", here)
    assert done.returncode == 0 and done.stderr == b"" and done.stdout == sluice("talkers", path, "-T", "json").stdout
    assert not here.exists()


def test_a_run_that_ends_well_leaves_nothing(sluice, tmp_path):
    done = sluice("flows", EXAMPLE, "-T", "jsonl", "--checkpoint", tmp_path / "here")
    assert done.returncode == 0 and done.stdout == sluice("flows", EXAMPLE, "-T", "jsonl").stdout
    assert os.listdir(tmp_path) == []
