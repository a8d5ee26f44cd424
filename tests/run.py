"""Runs parts of the tests and adds them up: run.py PART..., as the Makefile calls it.

unit  the cmocka programs in BUILD/tests/unit
fuzz  every fuzz target over its corpus and over the malformed captures (BUILD/tests/fuzz/replay_*)
e2e   pytest over tests/e2e, without what is marked large
jit   pytest over tests/jit
damage every fuzz target over damaged copies of its corpus and of small captures (BUILD/tests/fuzz/mutate_*)
large pytest over what is marked large

The environment names the build: SLUICE the program, BUILD the folder of its objects. The last line
is always `N passed, N failed, N skipped`; the exit status is 0 only when something passed and
nothing failed.
"""
import glob
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("BUILD", "build/release")
CAPTURES = os.path.join(os.environ.get("SLUICE_SHARED", "../shared"), "captures")
SECONDS = int(os.environ.get("SECONDS", 600))  # for one unit program or corpus

# A sanitiser's finding has an exit status of its own: 1 and 2 mean something in sluice.
SANITISERS = {
    "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "exitcode=99:print_stacktrace=1:halt_on_error=1",
    "LSAN_OPTIONS": "exitcode=99",
}


def run(args, env=None):
    """Exit status and all output of a command; a status of None: it ran too long, or not at all."""
    env = {**SANITISERS, **os.environ, **(env or {})}
    try:
        done = subprocess.run(args, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=SECONDS, check=False)
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b"").decode(errors="replace")
    except FileNotFoundError:
        return None, "%s is not built" % args[0]


def say(part, name, counts, detail=""):
    print("%s %s: %d passed, %d failed, %d skipped" % ((part, name) + counts))
    if counts[1] and detail:
        print(detail.rstrip())
    sys.stdout.flush()


def unit():
    """One cmocka program after the other, in TAP, whose plan shows what a crash left out."""
    programs = [os.path.join(BUILD, source[:-2]) for source in sorted(glob.glob("tests/unit/test_*.c"))]
    for program in programs:
        status, out = run([program], {"CMOCKA_MESSAGE_OUTPUT": "TAP"})
        planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)", out, re.M))
        skipped = len(re.findall(r"^(?:not )?ok \d+ # SKIP", out, re.M))
        passed = len(re.findall(r"^ok \d+ - ", out, re.M))
        failed = max(planned - passed - skipped, 0)
        if status != 0 and not failed:  # a leak report comes after the last test
            failed = 1
        counts = (passed, failed, skipped)
        say("unit", os.path.basename(program), counts, "exit status %s\n%s" % (status, out))
        yield counts


def fuzz():
    """Each target gets its corpus, its past findings, and every malformed capture."""
    malformed = sorted(glob.glob(os.path.join(CAPTURES, "malformed", "*")))
    for source in sorted(glob.glob("tests/fuzz/fuzz_*.c")):
        name = os.path.basename(source)[len("fuzz_"):-len(".c")]
        files = sorted(glob.glob("tests/fuzz/corpus/%s/*" % name)) + malformed
        status, out = run([os.path.join(BUILD, "tests/fuzz/replay_" + name)] + files)
        passed = len(re.findall(r"^ok ", out, re.M))
        counts = (passed, 0, 0) if status == 0 else (passed, 1, max(len(files) - passed - 1, 0))
        say("fuzz", name, counts, "exit status %s\n%s" % (status, out))
        yield counts


def damage(copies):
    """Each target on so many damaged copies; the same ones in every run."""
    captures = sorted(glob.glob(os.path.join(CAPTURES, "*.pcap*")) + glob.glob(os.path.join(CAPTURES, "malformed", "*")))
    for source in sorted(glob.glob("tests/fuzz/fuzz_*.c")):
        name = os.path.basename(source)[len("fuzz_"):-len(".c")]
        files = sorted(glob.glob("tests/fuzz/corpus/%s/*" % name))
        if name in ("capture", "resync", "decompress"):
            files += captures
        status, out = run([os.path.join(BUILD, "tests/fuzz/mutate_" + name), str(copies)] + files) if files else (0, "")
        done = out.rstrip().endswith("ok %d" % copies)
        counts = (int(done), int(not done and bool(files)), int(not files))
        say("damage", name, counts, "exit status %s\n%s" % (status, out[-2000:]))
        yield counts


def pytest(folder, *options):
    report = os.path.join(BUILD, "pytest-%s.xml" % os.path.basename(folder))
    os.makedirs(BUILD, exist_ok=True)
    if os.path.exists(report):
        os.remove(report)
    env = {**SANITISERS, **os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    args = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "tests/pytest.ini",
            "--rootdir", ".", "--junitxml", report, *options, folder]
    status = subprocess.run(args, env=env, check=False).returncode
    passed = failed = skipped = 0
    if os.path.exists(report):
        for suite in xml.etree.ElementTree.parse(report).getroot().iter("testsuite"):
            bad = int(suite.get("failures")) + int(suite.get("errors"))
            failed += bad
            skipped += int(suite.get("skipped"))
            passed += int(suite.get("tests")) - bad - int(suite.get("skipped"))
    if status not in (0, 5) and not failed:  # 5: nothing was collected
        failed = 1
    counts = (passed, failed, skipped)
    say("pytest", folder, counts)
    yield counts


# Files of tests are shared out among the cores; what one of them starts (servers, browsers) stays with it.
IN_PARALLEL = ("-n", str(len(os.sched_getaffinity(0))), "--dist", "loadfile")

PARTS = {
    "unit": unit,
    "fuzz": fuzz,
    "e2e": lambda: pytest("tests/e2e", "-m", "not large", *IN_PARALLEL),
    "jit": lambda: pytest("tests/jit"),
    "damage": lambda: damage(int(os.environ.get("COPIES", "1000"))),
    "large": lambda: pytest("tests/e2e", "-m", "large"),
}


def main():
    os.chdir(ROOT)
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "SAN"):  # a test that runs make starts afresh
        os.environ.pop(name, None)
    parts = sys.argv[1:]
    unknown = [part for part in parts if part not in PARTS]
    if unknown or not parts:
        sys.exit("usage: tests/run.py %s" % "|".join(PARTS))
    total = [0, 0, 0]
    for part in parts:
        for counts in PARTS[part]():
            total = [a + b for a, b in zip(total, counts)]
    print("%d passed, %d failed, %d skipped" % tuple(total))
    sys.exit(0 if total[0] and not total[1] else 1)


if __name__ == "__main__":
    main()
