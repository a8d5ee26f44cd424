#!/usr/bin/env python3
"""Measure sluice against other tools, side by side, and hold the ratios against their goals.

Each case runs ours and theirs in turn, A B A B …, on a capture that is in the page cache, and
compares medians of whole processes. See README.md beside this file; `make bench` runs it.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from bursts import coverage, shares, write
from cases import CASES, FILES, Coverage
from line import LINE_BYTES, Line, unable
from measure import FILTER_C, GENERATOR, LAUNCHER, Failed, cache, make_file, median, run, side_by_side
from webserver import Nginx

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = "{:<44} {:>11} {:>11} {:>8} {:>11}  {:<5}  {}"
MIB = 1 << 20
PCAP_HEAD = 24


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="PATTERN", default="",
                        help="run the cases whose name matches this regular expression")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each side (%(default)s)")
    parser.add_argument("--scale", type=float, default=1.0,
                        help="size of the captures; goals are meant for 1 (%(default)s)")
    parser.add_argument("--data", type=Path,
                        default=os.environ.get("SLUICE_BENCH_DATA") or ROOT / "bench-data",
                        help="where captures are kept (%(default)s, or $SLUICE_BENCH_DATA)")
    parser.add_argument("--sluice", type=Path, default=ROOT / "sluice", help="%(default)s")
    parser.add_argument("--list", action="store_true", help="name the cases and stop")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.scale <= 0:
        parser.error("--rounds must be at least 1 and --scale above 0")
    return arguments


def describe_machine():
    model = "unknown CPU"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    print(f"Machine: {cores} cores, {model}, {memory:.0f} GiB, load {load:.1f}")
    print("Times are medians of whole processes; only the ratios mean something elsewhere.")
    return cores


def missing(case, cores):
    """Why a case cannot run here, or None."""
    for tool in case.tools:
        if not find(tool):
            return f"{tool} is not installed"
    if case.line and unable():
        return unable()
    if cores < case.cores:
        return f"needs {case.cores} cores"
    return None


def find(tool):
    return shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def count_of(sample):
    """{"packets":n} of ours, or tcpdump's "n packets"."""
    by_tcpdump = re.fullmatch(rb"(\d+) packets?\n", sample.stdout)
    if by_tcpdump:
        return int(by_tcpdump[1])
    try:
        return json.loads(sample.stdout)["packets"]
    except (ValueError, KeyError, TypeError):
        raise Failed("printed no JSON object with a count of packets") from None


def check_count(sample, expected):
    """Nobody is fast by leaving packets out."""
    counted = count_of(sample)
    if counted != expected:
        raise Failed(f"counted {counted} packets of {expected}")


def row(name, ours, theirs, ratio, goal, reached, detail="", so_far=False):
    verdict = "PASS" if reached else "stage" if so_far else "short"
    print(COLUMNS.format(name, ours, theirs, ratio, goal, verdict, detail).rstrip(), flush=True)


def check_written(written):
    """The same records in both pcaps."""
    ours, theirs = (path.open("rb") for path in written)
    with ours, theirs:
        ours.seek(PCAP_HEAD)
        theirs.seek(PCAP_HEAD)
        while True:
            mine, other = ours.read(MIB), theirs.read(MIB)
            if mine != other:
                raise Failed("the two files hold different packets")
            if not mine:
                return


def compare_times(case, commands, rounds, packets, scratch):
    written = [Path(scratch) / name for name in case.writes]
    ours, theirs = side_by_side(commands, case.rounds or rounds, written or (None, None))
    if written:
        check_written(written)
    if case.counted:
        check_count(ours[0], packets)
    if case.agree:
        check_count(ours[0], count_of(theirs[0]))
    if case.same and ours[0].stdout != theirs[0].stdout:
        raise Failed("printed something else than what it is compared with")
    measure = "cpu_s" if case.cpu else "wall_s"
    mine, other = median(ours, measure), median(theirs, measure)
    row(case.name, f"{mine:.3f} s", f"{other:.3f} s", f"{mine / other:.3f}",
        f"<= {case.goal:g} x", mine <= case.goal * other,
        f"{usage(ours)} | {usage(theirs)}" + (f"; {case.stage:g} x now" if case.stage else ""),
        mine <= case.stage * other)


def compare_limits(case, command, rounds):
    """Seconds and resident memory against what is allowed."""
    samples = [run(command) for _ in range(case.rounds or rounds)]
    mine, memory = median(samples, "wall_s"), median(samples, "max_rss_bytes")
    row(case.name, f"{mine:.3f} s", "", f"{mine / case.goal:.3f}", f"<= {case.goal:g} s",
        mine <= case.goal and memory <= case.most_bytes,
        f"{usage(samples)}; <= {case.most_bytes / MIB:g} MiB")


def usage(samples):
    memory = median(samples, "max_rss_bytes") / MIB
    return f"{median(samples, 'cpu_s'):.3f} s, {memory:.0f} MiB"


def compare_memory(case, commands, packets, flows):
    """Against an allowance, or against the same command on a file."""
    samples = [run(command) for command in commands]
    for sample in samples if case.counted else ():
        check_count(sample, packets)
    ours = samples[0].max_rss_bytes
    if len(samples) == 2:
        base = samples[1].max_rss_bytes
        row(case.name, f"{ours / MIB:.1f} MiB", f"{base / MIB:.1f} MiB",
            f"{(ours - base) / MIB:+.1f} M", f"<= +{case.goal / MIB:g} MiB",
            ours - base <= case.goal)
        return
    allowed = case.goal + case.goal_per_flow * flows
    detail = ""
    if case.goal_per_flow:
        detail = (f"{flows} flows: {(ours - case.goal) / flows:.0f} B each above "
                  f"{case.goal / MIB:g} MiB")
    row(case.name, f"{ours / MIB:.1f} MiB", "", f"{ours / allowed:.3f}",
        f"<= {allowed / MIB:.0f} MiB", ours <= allowed, detail)


def measure_coverage(case, arguments, scratch):
    path = Path(scratch) / "bursts.pcap"
    packets, seeds = int(case.packets * max(arguments.scale, 0.1)), max(20, int(case.seeds * arguments.scale))
    truth = write(path, packets)
    held = coverage(arguments.sluice.resolve(), path, truth, case.part, range(1, seeds + 1))
    of_hosts, of_all, (worst, host, what) = shares(held)
    row(case.name, f"{of_hosts:.4f}", "", "", f">= {case.goal:g}", of_hosts >= case.goal,
        f"{sum(n for _, n in held.values())} intervals of {seeds} seeds; {of_all:.4f} of all packets; "
        f"worst host {worst:.3f} ({host}, {what})")


def run_case(case, arguments, scratch):
    if isinstance(case, Coverage):
        measure_coverage(case, arguments, scratch)
        return
    spec = FILES[case.file]
    packets, flows = spec.scaled(arguments.scale)
    path = make_file(arguments.data, case.file, spec, arguments.scale)
    cache(path)
    words = {"sluice": arguments.sluice.resolve(), "filter_c": FILTER_C, "file": path,
             "bench": Path(__file__).resolve().parent, "scratch": scratch}
    if not case.served:
        finish_case(case, words, arguments, packets, flows)
        return
    with Nginx(find("nginx"), path.parent, scratch) as server:
        words["url"] = server.url(path.name)
        words["limited"] = server.url("limited/" + path.name)
        words["eighth"] = path.stat().st_size // 8 - 1
        if not case.line:
            finish_case(case, words, arguments, packets, flows)
            return
        with Line(server.port) as line:
            words["url"] = line.url(path.name)
            compare_line(case, line, commands_of(case, words)[0], path.stat().st_size, arguments.rounds, packets)


def compare_line(case, line, command, size, rounds, packets):
    samples = [run(line.inside(command)) for _ in range(case.rounds or rounds)]
    check_count(samples[0], packets)
    mine, line_s = median(samples, "wall_s"), size / LINE_BYTES
    row(case.name, f"{mine:.3f} s", f"{line_s:.3f} s", f"{mine / line_s:.3f}", f"<= {case.goal:.3g} x",
        mine <= case.goal * line_s, usage(samples))


def words_of(command, words):
    parts = command.split() if isinstance(command, str) else command
    program, *rest = [str(part).format(**words) for part in parts]
    return [find(program) or program, *rest]


def commands_of(case, words):
    return [words_of(command, words) for command in (case.ours, case.theirs) if command]


def finish_case(case, words, arguments, packets, flows):
    commands = commands_of(case, words)
    if case.prepare:
        run(words_of(case.prepare, words))
    if case.memory:
        compare_memory(case, commands, packets, flows)
    elif case.most_bytes:
        compare_limits(case, commands[0], arguments.rounds)
    else:
        compare_times(case, commands, arguments.rounds, packets, words["scratch"])


def main():
    arguments = parse_arguments()
    try:
        chosen = [case for case in CASES if re.search(arguments.only, case.name)]
    except re.error as error:
        sys.exit(f"bench: --only {arguments.only}: {error}")
    if not chosen:
        sys.exit(f"bench: no case matches {arguments.only}; see --list")
    if arguments.list:
        print("\n".join(case.name for case in chosen))
        return 0
    for tool in (GENERATOR, LAUNCHER, FILTER_C):
        wanted = tool != FILTER_C or any("{filter_c}" in str(case.theirs) for case in chosen)
        if wanted and not tool.exists():
            sys.exit(f"bench: {tool} is not built; run make bench")
    cores = describe_machine()
    print("\n" + COLUMNS.format("what", "ours", "theirs", "ratio", "goal", "",
                                "CPU and memory: ours | theirs"), flush=True)
    failed = 0
    for case in chosen:
        reason = missing(case, cores)
        if reason:
            print(f"{case.name:<44} skipped: {reason}", flush=True)
            continue
        with tempfile.TemporaryDirectory(prefix="sluice-bench-") as scratch:
            try:
                run_case(case, arguments, scratch)
            except Failed as error:
                failed += 1
                print(f"{case.name:<44} failed: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
