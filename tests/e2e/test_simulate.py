"""The cluster on paper (tests/bench/simulate_cluster.py): its arithmetic, and that what it measures is measured."""
import importlib
import os
import subprocess
import sys

import pytest

from support import PROGRAM, ROOT

BENCH = os.path.join(ROOT, "tests", "bench")
SCRIPT = os.path.join(BENCH, "simulate_cluster.py")


@pytest.fixture(scope="module")
def paper():
    sys.path.insert(0, BENCH)
    try:
        yield importlib.import_module("simulate_cluster")
    finally:
        sys.path.remove(BENCH)


@pytest.fixture
def cluster(paper):
    def call(**changes):
        return paper.Cluster(**{**dict(workers=10, worker_rate=1024, storage_rate=1e9, merger_rate=1e9, wait_s=1, again=0), **changes})
    return call


@pytest.fixture
def costs(paper):
    def call(**changes):
        return paper.Costs(**{**dict(piece_s=3, partial_bytes=2 << 20, merge_s=0.5, file_s=0), **changes})
    return call


def test_waves_and_the_merge(paper, cluster, costs):
    outcome = paper.simulate(costs(), cluster(), 100)
    assert (outcome.pieces_s, outcome.merge_s, outcome.total_s) == (40, 50, 90)  # ten waves of 1 s and 3 s
    assert outcome.partial_bytes == 100 * (2 << 20) and outcome.read_bytes == 100 << 30
    assert outcome.share == 50 / 90
    assert paper.simulate(costs(), cluster(), 101).pieces_s == 44, "one more is a wave more"


@pytest.mark.parametrize("changes, pieces_s, merge_s", [
    ({"worker_rate": 128}, 90, 50),       # 8 s for the line, and 1 s
    ({"storage_rate": 1024}, 100, 50),    # 100 GiB at 1 GiB/s
    ({"merger_rate": 2}, 40, 100),        # 200 MiB at 2 MiB/s
    ({"again": 0.1}, 44, 50),             # eleven waves
    ({"workers": 1000}, 4, 50),
])
def test_what_is_slowest_decides(paper, cluster, costs, changes, pieces_s, merge_s):
    outcome = paper.simulate(costs(), cluster(**changes), 100)
    assert (outcome.pieces_s, outcome.merge_s) == (pieces_s, merge_s)


def test_where_it_stops_scaling(paper, cluster, costs):
    workers = paper.workers_that_help(costs(), cluster(), 1000)
    assert workers == 8  # 4 s of a worker for each piece, 0.5 s of the merge
    outcome = paper.simulate(costs(), cluster(workers=8), 1000)
    assert outcome.pieces_s == outcome.merge_s


def simulate(*args):
    subprocess.run(["make", "-s", "build/release/tests/bench/gen", "build/release/tests/bench/launch"], cwd=ROOT, check=True)
    return subprocess.run([sys.executable, "-B", SCRIPT, *map(str, args)], capture_output=True, text=True, check=False, timeout=300)


def test_tables(tmp_path):
    done = simulate("--scale", "0.005", "--data", tmp_path, "--sluice", PROGRAM, "--workers", 7, "--files", 3)
    assert done.returncode == 0, done.stderr
    tables = [[[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()] for table in done.stdout.strip().split("\n\n")]
    assert [len(table) for table in tables] == [10, 10]
    assert all(len(row) == len(table[0]) for table in tables for row in table)
    for _, recipe, piece, partial, *_, memory in tables[0][2:]:
        assert float(piece.split()[0]) > 0 and float(memory.split()[0]) > 1
        assert ("KiB" in partial) == (recipe == "count"), "flows make partial results large"
    assert {row[2] for row in tables[1][2:]} == {"7"}


def test_a_program_that_does_not_work(tmp_path):
    done = simulate("--scale", "0.001", "--data", tmp_path, "--sluice", "/bin/false")
    assert done.returncode == 1 and done.stdout == "" and "simulate_cluster: " in done.stderr
