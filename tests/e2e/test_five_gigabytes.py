"""A capture of 5 GB on nginx: what a window, and the first packets, fetch of it; and memory with 100,000 flows."""
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from nginx import sent, serving
from support import ROOT, SLOWNESS, peak_kib

pytestmark = pytest.mark.large

MIB = 1 << 20
GENERATOR = os.path.join("build", "release", "tests", "bench", "gen")
PACKETS, FLOWS, SECONDS = 5_900_000, 100_000, 600
SIZE = 5 * 10**9
EPOCH = 1767225600  # of the generator's captures
FILE_HEAD = 24


def generate(path):
    subprocess.run(["make", "-s", GENERATOR], cwd=ROOT, check=True)
    subprocess.run([os.path.join(ROOT, GENERATOR), "--packets", str(PACKETS), "--flows", str(FLOWS), "--size-mix", "full",
                    "--duration", str(SECONDS), "-o", path], check=True)
    assert path.stat().st_size >= SIZE
    path.chmod(0o644)


@pytest.fixture(scope="module")
def blob():
    """(path, URL, log()) of the capture, which is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="sluice-5gb-") as home:
        if shutil.disk_usage(home).free < 1.3 * SIZE:
            pytest.skip("a capture of 5 GB wants 6.5 GB of free disk")
        with serving(Path(home)) as (url, folder, log):
            generate(folder / "five.pcap")
            yield folder / "five.pcap", url + "five.pcap", log


@pytest.fixture
def fetched(blob, monkeypatch):
    """fetched(): bytes that nginx sent in this test."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    before = sent(blob[2]())
    return lambda: sent(blob[2]()) - before


def editcap(path, begin, end, out):
    subprocess.run(["editcap", "-F", "pcap", "-A", str(begin), "-B", str(end), path, out], check=True,
                   capture_output=True)


def records(path):
    with open(path, "rb") as file:
        return file.read()[FILE_HEAD:]


@pytest.mark.parametrize("begin", [0, 123, 300, 480])
def test_a_window_of_ten_seconds(sluice, blob, fetched, begin, tmp_path):
    path, url, _ = blob
    begin += EPOCH
    ours, theirs = tmp_path / "ours.pcap", tmp_path / "theirs.pcap"
    done = sluice("-w", ours, "-v", "--from", str(begin), "--to", str(begin + 10), url)
    assert done.returncode == 0, done.stderr
    editcap(path, begin, begin + 10, theirs)
    window, extra = ours.stat().st_size, fetched() - ours.stat().st_size
    assert records(ours) == records(theirs) and window > 10 * MIB
    print("window of %d bytes: %d more were fetched" % (window, extra))
    assert extra <= 4 * MIB


def test_the_first_thousand_packets(sluice, blob, fetched):
    done = sluice("count", "-c", "1000", "-T", "json", blob[1])
    assert json.loads(done.stdout)["packets"] == 1000
    print("%d bytes were fetched for 1000 packets" % fetched())
    assert fetched() < 4 * MIB


@pytest.mark.parametrize("workers", [1, 2])
def test_memory_with_a_hundred_thousand_live_flows(blob, fetched, workers, tmp_path):
    """--idle 0: no flow ends before the last packet, so all are live at once."""
    path, url, _ = blob
    command = ["summary", "-T", "json", "-q", "--idle", "0", "-j", workers]
    remote, local = peak_kib([*command, url], tmp_path), peak_kib([*command, path], tmp_path)
    assert remote[0] == local[0] == 0
    result = json.loads(remote[1])
    assert {**result, "inputs": None} == {**json.loads(local[1]), "inputs": None}
    assert (result["packets"], result["flows"]) == (PACKETS, FLOWS) and fetched() == path.stat().st_size
    remote_mib, local_mib = remote[2] / 1024, local[2] / 1024
    print("-j %d: peak %.0f MiB over HTTP, %.0f MiB from the file" % (workers, remote_mib, local_mib))
    assert remote_mib <= 160 and remote_mib - local_mib <= 32 or SLOWNESS > 1
