#!/usr/bin/env python3
"""How long a plan takes on a cluster: a piece and a merge are measured here, the rest is arithmetic.

    simulate_cluster.py                     10,000 blobs of 1 GiB on 100 and on 1,000 workers
    simulate_cluster.py --blobs N --workers N... --worker-rate MIB --storage-rate MIB --merger-rate MIB

A worker is one processor that takes a piece of 1 GiB at a time. It takes as long as the slower of its
processor and its line, and no storage gives more than its own limit to all of them. The merge begins
when the last piece has ended, reads all partial results over one line, and works with one worker (-j 1). Starts
of processes, the scheduler's waiting and pieces that are run again (--again, a share) are in it;
neighbours on a machine, slow machines and failing ones are not.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cases import FILES
from measure import Failed, cache, make_file, run

ROOT = Path(__file__).resolve().parents[2]
MIB, GIB = 1 << 20, 1 << 30
MEASURED = (("full-size packets", "full-1gb"), ("96 bytes of each packet", "small-12m"))
RECIPES = ("count", "summary", "talkers", "report")


@dataclass(frozen=True)
class Costs:
    """What was measured, for each GiB of capture."""
    piece_s: float  # processor seconds of a piece of 1 GiB, its start included
    partial_bytes: float
    merge_s: float  # processor seconds of the merge
    file_s: float  # processor seconds of the merge for each file, whatever is in it


@dataclass(frozen=True)
class Cluster:
    workers: int
    worker_rate: float  # MiB/s that a worker's line takes from storage
    storage_rate: float  # MiB/s that storage gives to all
    merger_rate: float  # MiB/s that the merging machine reads partial results with
    wait_s: float  # of the scheduler and container, for each piece
    again: float  # share of pieces that are run twice


@dataclass(frozen=True)
class Outcome:
    pieces_s: float
    unlimited_s: float  # the pieces, if storage had no limit
    merge_s: float
    read_bytes: float
    partial_bytes: float

    @property
    def total_s(self):
        return self.pieces_s + self.merge_s

    @property
    def share(self):
        return self.merge_s / self.total_s


def piece_seconds(costs, cluster):
    return cluster.wait_s + max(costs.piece_s, GIB / MIB / cluster.worker_rate)


def simulate(costs, cluster, blobs):
    """blobs: of 1 GiB each."""
    runs = blobs + round(blobs * cluster.again)
    waves = -(-runs // cluster.workers)
    unlimited_s = waves * piece_seconds(costs, cluster)
    pieces_s = max(unlimited_s, runs * GIB / MIB / cluster.storage_rate)
    partial = blobs * costs.partial_bytes
    merge_s = max(blobs * (costs.merge_s + costs.file_s), partial / MIB / cluster.merger_rate)
    return Outcome(pieces_s, unlimited_s, merge_s, runs * GIB, partial)


def workers_that_help(costs, cluster, blobs):
    """How many workers it takes until the merge is half of the time: twice as many save a quarter, at most."""
    merge_s = simulate(costs, cluster, blobs).merge_s
    return blobs * (1 + cluster.again) * piece_seconds(costs, cluster) / merge_s


def at_half(costs, cluster, blobs):
    workers = workers_that_help(costs, cluster, blobs)
    return f"{workers:,.0f}" if workers < blobs else "any"


def shell(*words):
    return run(["sh", "-c", *map(str, words)])


def partials(sluice, recipe, plan, numbers):
    """Counts some pieces of a plan; their samples and files."""
    files = [plan.with_suffix(f".{number}") for number in numbers]
    return [run([sluice, recipe, "-q", "--piece", str(number), plan, "--partial", file])
            for number, file in zip(numbers, files)], files


def measure(sluice, recipe, path, folder, many):
    """A capture of about 1 GiB as one piece, and tiny parts of it, which cost little but their start."""
    size, scale = path.stat().st_size, GIB / path.stat().st_size
    tiny, whole = folder / "tiny", folder / "whole"
    for plan, piece_size in ((tiny, max(size // 1000, 4096)), (whole, size)):
        shell(f'"$1" plan {recipe} "$2" --piece-size {piece_size} >"$3"', "sh", sluice, path, plan)
    starts, files = partials(sluice, recipe, tiny, range(2, 2 + many))
    (piece,), (partial,) = partials(sluice, recipe, whole, [1])
    together, alone = (run([sluice, "merge", recipe, *some, "--partial", folder / "merged"]) for some in (files, files[:1]))
    merge, start_s = run([sluice, "merge", recipe, "-q", "-j", "1", "-T", "json", partial]), statistics.median(each.cpu_s for each in starts)
    return Costs(start_s + max(piece.cpu_s - start_s, 0) * scale, partial.stat().st_size * scale,
                 max(merge.cpu_s - alone.cpu_s, 0) * scale, max(together.cpu_s - alone.cpu_s, 0) / (many - 1)), merge.max_rss_bytes


def duration(seconds):
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def amount(number):
    for unit, size in (("TiB", 1 << 40), ("GiB", GIB), ("MiB", MIB)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number / 1024:.1f} KiB"


def print_table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("| " + " | ".join("---" if i < 2 else "---:" for i in range(len(head))) + " |")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blobs", type=int, default=10000, help="of 1 GiB (%(default)s)")
    parser.add_argument("--workers", type=int, nargs="+", default=[100, 1000], help="%(default)s")
    parser.add_argument("--worker-rate", type=float, default=100, help="MiB/s from storage to a worker (%(default)s)")
    parser.add_argument("--storage-rate", type=float, default=6000, help="MiB/s from storage to all (%(default)s)")
    parser.add_argument("--merger-rate", type=float, default=500, help="MiB/s of partial results to the merge (%(default)s)")
    parser.add_argument("--wait", type=float, default=2, help="seconds before a piece begins (%(default)s)")
    parser.add_argument("--again", type=float, default=0.03, help="share of pieces that are run twice (%(default)s)")
    parser.add_argument("--files", type=int, default=100, help="merged, to see what a file costs (%(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the captures that are measured (%(default)s)")
    parser.add_argument("--data", type=Path, default=os.environ.get("SLUICE_BENCH_DATA") or ROOT / "bench-data")
    parser.add_argument("--sluice", type=Path, default=ROOT / "sluice")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    measured, outcomes = [], []
    clusters = [Cluster(workers, arguments.worker_rate, arguments.storage_rate, arguments.merger_rate, arguments.wait,
                        arguments.again) for workers in arguments.workers]
    for what, name in MEASURED:
        path = make_file(arguments.data, name, FILES[name], arguments.scale)
        cache(path)
        for recipe in RECIPES:
            folder = Path(tempfile.mkdtemp(prefix="sluice-simulate-"))
            try:
                costs, memory = measure(arguments.sluice.resolve(), recipe, path, folder, arguments.files)
            finally:
                shutil.rmtree(folder)
            measured.append((what, recipe, f"{costs.piece_s:.2f} s", amount(costs.partial_bytes), f"{costs.merge_s:.2f} s",
                             f"{costs.merge_s / costs.partial_bytes * MIB * 1000:.1f} ms", f"{costs.file_s * 1000:.2f} ms",
                             amount(memory)))
            for cluster in clusters:
                outcome = simulate(costs, cluster, arguments.blobs)
                outcomes.append((what, recipe, str(cluster.workers), duration(outcome.unlimited_s),
                                 duration(outcome.pieces_s), duration(outcome.merge_s),
                                 duration(outcome.total_s), f"{outcome.share:.0%}", amount(outcome.read_bytes),
                                 amount(2 * outcome.partial_bytes), at_half(costs, cluster, arguments.blobs)))
    print_table(("capture", "recipe", "piece, CPU/GiB", "partial/GiB", "merge, CPU/GiB", "merge, CPU/MiB of partial", "merge, CPU/file", "merge, memory for 1 GiB"),
                measured)
    print_table(("capture", "recipe", "workers", "pieces, storage unlimited", "pieces", "merge", "total", "merge's share", "read", "partials, out and in",
                 "workers at half"), outcomes)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as error:
        sys.exit(f"simulate_cluster: {error}")
