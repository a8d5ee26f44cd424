"""Fixtures of the end-to-end tests, and the count of what was skipped for want of captures."""
import os
import subprocess

import pytest

from support import CAPTURES, EXAMPLE, NO_CAPTURES, PROGRAM, ROOT, SLOWNESS, TRUTH

SANITISER_EXIT = 99  # tests/run.py sets it


def assert_alive(done):
    """No run may end by a signal or by a sanitiser's finding, whatever else a test looks at."""
    text = (done.stderr or b"").decode(errors="replace")
    assert done.returncode >= 0, "killed by signal %d: %s\n%s" % (-done.returncode, done.args, text)
    found = done.returncode == SANITISER_EXIT or "Sanitizer" in text or "runtime error:" in text
    assert not found, "%s\n%s" % (done.args, text)
    return done


@pytest.fixture(scope="session")
def sluice():
    """sluice(*args, stdin=None, env=None, timeout=60): the program's CompletedProcess, in bytes."""
    assert os.access(PROGRAM, os.X_OK), "%s is not built: make" % PROGRAM

    def call(*args, stdin=None, env=None, timeout=60, **more):
        given = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
        given.update({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": ROOT}, **more)
        return assert_alive(subprocess.run([PROGRAM, *map(str, args)], env={**os.environ, "XDG_CONFIG_HOME": "/nonexistent", **(env or {})},
                                           timeout=timeout * SLOWNESS, check=False, **given))
    return call


@pytest.fixture(scope="session")
def truth():
    """The entries of truth.json by file name."""
    if not TRUTH:
        pytest.skip(NO_CAPTURES)
    return TRUTH


@pytest.fixture(scope="session")
def capture():
    """capture(name): the path of a shared capture."""
    if not TRUTH:
        pytest.skip(NO_CAPTURES)
    return lambda name: os.path.join(CAPTURES, name)


@pytest.fixture(scope="session")
def example():
    """The capture that stands in the repository."""
    return EXAMPLE


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    without = sum(NO_CAPTURES in str(report.longrepr) for report in skipped)
    if without:
        terminalreporter.write_line("%d tests or groups of tests skipped: %s" % (without, NO_CAPTURES))


@pytest.fixture
def small_disk(tmp_path):
    """A folder with room for 256 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", folder], check=False,
                                           capture_output=True).returncode:
        pytest.skip("only root mounts a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)
