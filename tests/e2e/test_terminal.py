"""What people see on a terminal, in one of tmux: the progress line, widths, views that refresh in place, colours,
and completion in an interactive shell."""
import os
import re
import shutil
import subprocess
import time

import pytest

from support import PROGRAM, ROOT, SLOWNESS, pcap, udp_frame

WAIT_S = 20 * SLOWNESS


def ended(screen):
    return re.search("^ended$", screen, re.M)


class Terminal:
    """A shell in a tmux server of its own."""

    def __init__(self, folder, columns=100, lines=40):
        self.socket = str(folder / "tmux")
        environment = {"PATH": "%s:%s" % (folder, os.environ["PATH"]), "HOME": str(folder), "TERM": "xterm-256color", "PS1": "$ ",
                       "LC_ALL": "C.UTF-8"}
        environment.update((name, os.environ[name]) for name in os.environ if name.endswith("SAN_OPTIONS"))
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines), "env", "-i",
                  *("%s=%s" % pair for pair in environment.items()), "bash", "--norc", "--noprofile", "-i")
        self.until(lambda screen: "$" in screen)

    def tmux(self, *args):
        return subprocess.run(["tmux", "-S", self.socket, *args], check=True, capture_output=True).stdout.decode()

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def type(self, text, key="Enter"):
        self.tmux("send-keys", "-l", text)
        if key:
            self.tmux("send-keys", key)

    def until(self, true):
        """The screen, once it is as wanted."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            screen = self.screen()
            if true(screen):
                return screen
            time.sleep(0.02)
        raise AssertionError("not seen in time; the screen was\n" + self.screen())

    def run(self, command):
        """The screen when the command has ended."""
        self.type("clear; " + command + "; echo en''ded")
        return self.until(ended)


@pytest.fixture
def terminal(tmp_path):
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed")
    (tmp_path / "sluice").symlink_to(PROGRAM)
    opened = []

    def call(**size):
        opened.append(Terminal(tmp_path, **size))
        return opened[-1]

    yield call
    for one in opened:
        one.tmux("kill-server")


def widest(screen):
    return max(len(line) for line in screen.splitlines())


@pytest.mark.parametrize("columns", [70, 80, 100, 160])
def test_tables_fit(terminal, example, columns):
    screen = terminal(columns=columns).run("sluice flows -q --top 5 '%s'" % example)
    assert "Largest flows" in screen and 50 < widest(screen) <= columns
    lines = screen.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Largest flows"))
    rows = [line for line in lines[start + 3:] if re.match(r"\d\d\d\d-|tcp |udp ", line)]
    assert len(rows) == 5, screen  # none has been broken in two
    assert all(len(re.findall(r"(?<!\S)\d+\.\d+\.\d+\.\d+:\d+ ", row)) == 2 for row in rows), screen


def test_colours(terminal, example):
    shell = terminal()
    shell.run("sluice summary -q '%s'" % example)
    assert "\x1b[1m" in shell.screen("-e")
    shell.run("NO_COLOR=1 sluice summary -q '%s'" % example)
    assert "\x1b[1m" not in shell.screen("-e")
    shell.run("sluice summary -q '%s' | cat" % example)
    assert "\x1b[1m" not in shell.screen("-e")


def test_no_escapes_in_a_pipe(sluice, example):
    for form in ("text", "csv", "jsonl"):
        done = sluice("talkers", example, "-T", form)
        assert b"\x1b" not in done.stdout and done.stderr == b""


def slowly(path, folder):
    """A command that feeds the capture in two halves; the second when there is a file named go."""
    half = os.path.getsize(path) // 2
    return "(head -c %d '%s'; until [ -e '%s/go' ]; do sleep 0.05; done; tail -c +%d '%s')" % (half, path, folder, half + 1, path)


def test_progress_line(terminal, example, tmp_path):
    shell = terminal()
    shell.type("clear; %s | sluice summary - ; echo en''ded" % slowly(example, tmp_path))
    assert not ended(shell.until(lambda screen: re.search(r"\d+\.\d MB, \d+\.\d MB/s", screen)))
    (tmp_path / "go").touch()
    after = shell.until(ended)
    assert "MB/s" not in after and "packets" in after  # it is gone when the result stands there
    shell.type("clear; rm go; %s | sluice summary -q - ; echo en''ded" % slowly(example, tmp_path))
    (tmp_path / "go").touch()
    assert "MB/s" not in shell.until(ended)


LIVE = """
return { about = "packets of an interval", every = 10, start = function()
  local n = count { "packets" }
  return {
    packet = function() n:add(1) end,
    interval = function(t, view) view:record { title = "until " .. t, fields = { { "so far", n:value() } } } end,
    finish = function(view) view:record { title = "in all", fields = { { "packets", n:value() } } } end,
  }
end }
"""


def test_views_of_intervals_refresh_in_place(terminal, tmp_path):
    (tmp_path / "live.lua").write_text(LIVE)
    (tmp_path / "in.pcap").write_bytes(pcap([(i, 0, udp_frame("10.0.0.1", "10.0.0.2", 1, 2)) for i in range(95)]))
    shell = terminal()
    screen = shell.run("cd '%s'; clear; sluice live.lua in.pcap -q" % tmp_path)
    assert screen.count("until ") == 1 and "until 90" in screen and "in all" in screen
    piped = shell.run("sluice live.lua in.pcap -q | cat")
    assert [int(n) for n in re.findall(r"until (\d+)", piped)] == list(range(10, 100, 10))


def test_completion(terminal, tmp_path):
    shell = terminal()
    shell.run("source '%s/scripts/completion/sluice.bash'" % ROOT)
    for typed, completed in [("sluice talk", "sluice talkers"), ("sluice flows --max-fl", "sluice flows --max-flows"),
                             ("sluice -T fields -e tcp.dstp", "sluice -T fields -e tcp.dstport"), ("sluice flows -T jsonl --dec", "--decap")]:
        shell.tmux("send-keys", "C-u")
        shell.type("clear")
        shell.type(typed, "Tab")
        shell.until(lambda screen, wanted=completed: wanted in screen)
    shell.tmux("send-keys", "C-u")
