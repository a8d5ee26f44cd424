"""Fixtures of the trace tests: a capture long enough for warming up to be forgotten, and runs of it
under SLUICE_TRACE (tests/README.md)."""
import os
import re
import struct
import subprocess

import pytest

from support import EXAMPLE, PROGRAM, ROOT, SLOWNESS

TIMES = 4
IDLE_S = 400  # longer than any flow's timeout, so that the copies of a flow are flows of their own


class Log:
    """What LuaJIT's log says of the loops that walk packets and flows (lua/sluice/loops.lua)."""

    def __init__(self, text):
        self.text = text
        self.interpreted = int(re.search(r"^interpreted: (\d+)$", text, re.M)[1])

    def loops(self):
        """Names of the loops that became a trace which returns to its own start."""
        return set(re.findall(r"^\[TRACE +\d+ ((?:packet|flow) (?:loop of|filter) .+):\d+ loop\]$", self.text, re.M))

    def refused(self):
        """Such loops that LuaJIT would not compile as a whole, and calls, wherever, that it can only make
        by leaving a trace and beginning another one ("stitch"). A trace that returns from a loop is no part
        of it: what that costs shows in `interpreted`."""
        return re.findall(r"^\[TRACE --- .*(?:packet|flow) (?:loop of|filter) .*(?:NYI(?!: return to lower)|blacklisted).*\]$"
                          r"|^\[TRACE +\d+ (?!v\.lua).* stitch .*\]$", self.text, re.M)


def records(path):
    """A little-endian pcap file's header, and its records as (seconds, the rest)."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:4] == b"\xd4\xc3\xb2\xa1"
    found, at = [], 24
    while at < len(data):
        seconds, _, size, _ = struct.unpack_from("<IIII", data, at)
        found.append((seconds, data[at + 4:at + 16 + size]))
        at += 16 + size
    return data[:24], found


@pytest.fixture(scope="session")
def long_capture(tmp_path_factory):
    """The example capture several times, one after the other."""
    header, found = records(EXAMPLE)
    span = max(record[0] for record in found) - min(record[0] for record in found) + IDLE_S
    path = tmp_path_factory.mktemp("jit") / "long.pcap"
    with open(path, "wb") as file:
        file.write(header)
        for k in range(TIMES):
            file.write(b"".join(struct.pack("<I", seconds + k * span) + rest for seconds, rest in found))
    return path


@pytest.fixture
def traced(tmp_path):
    """traced(*args): the Log of one run."""
    def call(*args):
        path = tmp_path / "traces"
        done = subprocess.run([PROGRAM, *map(str, args), "-q"], cwd=ROOT, check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120 * SLOWNESS,
                              env={**os.environ, "SLUICE_TRACE": str(path)})
        assert done.returncode == 0, done.stderr.decode()
        return Log(path.read_text())
    return call
