"""--follow: a capture that is still being written, in a file and on a server, until Ctrl-C."""
import json
import os
import re
import signal
import subprocess
import time

import pytest

from httpd import Server
from support import PROGRAM, ROOT, SLOWNESS, pcap, tcp_frame

EPOCH = 1700000000


def packets(first, last):
    """One a quarter of a second."""
    return [(EPOCH + n // 4, n % 4 * 250000, tcp_frame("10.0.0.1", "192.0.2.%d" % (n % 9 + 1), 1024, 443, 0x10,
                                                       seq=n, payload=bytes(400))) for n in range(first, last)]


def records(first, last):
    return pcap(packets(first, last))[24:]


@pytest.fixture
def followed(tmp_path):
    """followed(*args): the running program; ended with the test."""
    running = []

    def start(*args):
        out = open(tmp_path / "out", "wb")
        running.append(subprocess.Popen([PROGRAM, *map(str, args)], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out,
                                        stderr=subprocess.PIPE, env={**os.environ, "no_proxy": "127.0.0.1"}))
        out.close()
        return running[-1]
    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
            process.communicate()


def wait_for(condition):
    """Waits until it is true; how long is no matter of the test."""
    for _ in range(600 * SLOWNESS):
        if condition():
            return True
        time.sleep(0.05)
    return False


def end(process):
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30 * SLOWNESS)
    assert process.returncode == 130, said
    assert b"interrupted: the result holds what was read so far" in said


def ticking(tmp_path):
    recipe = tmp_path / "tick.lua"
    recipe.write_text("""return { about = "bytes of each interval", every = 5, start = function()
      local bytes = sum { "bytes" }
      return {
        packet = function(p) bytes:add(p.len) end,
        interval = function(t) io.write(t, " ", bytes:get() or 0, "\\n") io.flush() end,
        finish = function(out) out:table { title = "Bytes", columns = { "bytes" }, rows = { { bytes:get() } } } end,
      } end }""")
    return recipe


def test_a_file_grows(followed, tmp_path):
    """Intervals are told as they come, a record in two pieces too; the result is that of the whole."""
    path, out = tmp_path / "growing.pcap", tmp_path / "out"
    path.write_bytes(pcap(packets(0, 50)))
    process = followed(ticking(tmp_path), "--follow", path)
    assert wait_for(lambda: out.read_bytes().count(b"\n") == 2)  # at 5 and 10 of 12.25 seconds
    more = records(50, 130)
    with open(path, "ab", buffering=0) as file:
        file.write(more[:1000])
        time.sleep(0.3)
        file.write(more[1000:])
    assert wait_for(lambda: out.read_bytes().count(b"\n") == 6)
    end(process)
    size = len(packets(0, 1)[0][2])
    assert out.read_bytes().splitlines()[:6] == [b"%d %d" % (t, size * t * 4) for t in range(5, 31, 5)]
    assert str(130 * size).encode() in out.read_bytes()


def test_a_cut_record_at_the_end_is_no_error(followed, tmp_path):
    path, out = tmp_path / "growing.pcap", tmp_path / "out"
    path.write_bytes(pcap(packets(0, 50)) + records(50, 51)[:100])
    process = followed("count", "--follow", path, "-T", "json")
    time.sleep(0.5)
    end(process)
    assert json.loads(out.read_bytes())["packets"] == 50


def test_an_empty_file_is_waited_for(followed, tmp_path):
    path, out = tmp_path / "growing.pcap", tmp_path / "out"
    path.write_bytes(b"")
    process = followed(ticking(tmp_path), "--follow", path)
    time.sleep(0.3)
    path.write_bytes(pcap(packets(0, 30)))
    assert wait_for(lambda: out.read_bytes().count(b"\n") == 1)
    end(process)


def test_to_ends_it(followed, tmp_path):
    """Behind the window and its margin nothing is waited for."""
    path = tmp_path / "growing.pcap"
    path.write_bytes(pcap(packets(0, 1500)))
    process = followed("count", "--follow", "--to", "+5", path, "-T", "json")
    assert wait_for(lambda: process.poll() is not None)
    assert process.returncode == 0
    assert json.loads((tmp_path / "out").read_bytes())["packets"] == 20


def test_a_blob_grows(followed, tmp_path):
    out = tmp_path / "out"
    with Server({"growing.pcap": pcap(packets(0, 50))}) as server:
        process = followed(ticking(tmp_path), "--follow", server.url("good", "growing.pcap"))
        assert wait_for(lambda: out.read_bytes().count(b"\n") == 2)
        server.files["growing.pcap"] += records(50, 130)
        assert wait_for(lambda: out.read_bytes().count(b"\n") == 6)
        end(process)
        assert str(130 * len(packets(0, 1)[0][2])).encode() in out.read_bytes()


def test_what_was_asked_again_is_told(followed, tmp_path):
    """Retries of sources that were replaced as the blob grew count, too."""
    out = tmp_path / "out"
    with Server({"growing.pcap": pcap(packets(0, 50))}) as server:
        process = followed(ticking(tmp_path), "-v", "--follow", server.url("once-503", "growing.pcap"))
        assert wait_for(lambda: out.read_bytes().count(b"\n") == 2)
        server.files["growing.pcap"] += records(50, 130)
        assert wait_for(lambda: out.read_bytes().count(b"\n") == 6)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30 * SLOWNESS)
    assert re.search(rb"in \d+ requests \(\d+ of them again, lately after HTTP 503\)", said), said


@pytest.mark.parametrize("other", [pcap(packets(300, 500)), pcap(packets(0, 20))], ids=["another", "shorter"])
def test_a_replaced_blob_is_an_error(followed, tmp_path, other):
    out = tmp_path / "out"
    with Server({"growing.pcap": pcap(packets(0, 50))}) as server:
        process = followed(ticking(tmp_path), "--follow", server.url("good", "growing.pcap"))
        assert wait_for(lambda: out.read_bytes().count(b"\n") == 2)
        server.files["growing.pcap"] = other
        assert wait_for(lambda: process.poll() is not None)
    _, said = process.communicate()
    assert process.returncode == 1 and b"was replaced or cut while it was followed" in said
    assert str(50 * len(packets(0, 1)[0][2])).encode() in out.read_bytes()


def test_a_pipe_ends_with_its_writer(sluice):
    done = sluice("count", "--follow", "-", "-T", "json", stdin=pcap(packets(0, 50)))
    assert done.returncode == 0 and json.loads(done.stdout)["packets"] == 50


def test_one_input_only(sluice, example):
    done = sluice("count", "--follow", example, example)
    assert done.returncode == 2 and b"--follow takes one input, not 2" in done.stderr


def test_what_is_not_there(sluice, tmp_path):
    done = sluice("count", "--follow", tmp_path / "absent.pcap")
    assert done.returncode == 1 and b"cannot be opened" in done.stderr
