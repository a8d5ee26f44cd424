"""A line of 1 Gbit/s to a server that is 50 ms away: a network namespace behind a veth pair with a token
bucket (the kernel's tbf), and a relay that holds bytes back (delay.c), for as long as a case needs it."""

import os
import socket
import subprocess
import time

from measure import BUILD, Failed
from webserver import free_port

NAMESPACE, HERE, THERE = "sluice-bench", "10.213.97.1", "10.213.97.2"
LINE_BYTES = 125_000_000  # a second
DELAY_MS = 25  # each way


def unable():
    """Why there can be no such line here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    return None


def ip(*words, check=True):
    done = subprocess.run(["ip", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if check and done.returncode:
        raise Failed(f"ip {' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")


class Line:
    """with Line(port) as line: line.inside(command) fetches line.url(name) from the server at port."""

    def __init__(self, port):
        self._target = port
        self.port = free_port()
        self._relay = None

    def url(self, name):
        return f"http://{HERE}:{self.port}/{name}"

    def inside(self, command):
        return ["ip", "netns", "exec", NAMESPACE, *command]

    def __enter__(self):
        try:
            self._set_up()
        except Failed:
            self.__exit__()
            raise
        return self

    def _set_up(self):
        ip("netns", "del", NAMESPACE, check=False)  # of a run that was killed
        ip("netns", "add", NAMESPACE)
        ip("link", "add", "sluice0", "type", "veth", "peer", "name", "sluice1", "netns", NAMESPACE)
        ip("addr", "add", HERE + "/30", "dev", "sluice0")
        ip("link", "set", "sluice0", "up")
        ip("-n", NAMESPACE, "addr", "add", THERE + "/30", "dev", "sluice1")
        ip("-n", NAMESPACE, "link", "set", "sluice1", "up")
        done = subprocess.run(["tc", "qdisc", "add", "dev", "sluice0", "root", "tbf", "rate", "1gbit", "burst",
                               "256kb", "latency", "100ms"], stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise Failed("tc: " + done.stderr.decode(errors="replace").strip())
        self._relay = subprocess.Popen([BUILD / "delay", HERE, str(self.port), str(self._target), str(DELAY_MS)])
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s and self._relay.poll() is None:
            try:
                socket.create_connection((HERE, self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise Failed("the relay did not start")

    def __exit__(self, *_):
        if self._relay:
            self._relay.kill()
            self._relay.wait()
        ip("link", "del", "sluice0", check=False)
        ip("netns", "del", NAMESPACE, check=False)
