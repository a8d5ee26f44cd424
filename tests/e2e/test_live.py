"""-i: real traffic between two hosts, each a network namespace that the test makes; and what goes wrong."""
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import sys
import time
import uuid

import pytest

from support import PROGRAM, ROOT, SLOWNESS

PAYLOAD = 50000
SERVER = """
import socket
s = socket.create_server(("10.77.0.2", 8080))
for _ in range(%d):
    c, _ = s.accept()
    while c.recv(65536):
        pass
    c.sendall(b"done")
    c.close()
"""
CLIENT = """
import socket
for _ in range(%d):
    c = socket.create_connection(("10.77.0.2", 8080))
    c.sendall(bytes(%d))
    c.shutdown(socket.SHUT_WR)
    assert c.recv(10) == b"done"
    c.close()
"""


def ip(*args, check=True):
    return subprocess.run(["ip", *args], check=check, capture_output=True)


@pytest.fixture
def hosts():
    """Names of two network namespaces, joined: 10.77.0.1 at veth `near`, 10.77.0.2 at `far`."""
    name = "sluice" + uuid.uuid4().hex[:6]
    left, right = name + "l", name + "r"
    if os.geteuid() != 0 or ip("netns", "add", left, check=False).returncode:
        pytest.skip("only root makes network namespaces")
    ip("netns", "add", right)
    try:
        ip("-n", left, "link", "add", "name", "near", "type", "veth", "peer", "name", "far", "netns", right)
        for host, interface, address in ((left, "near", "10.77.0.1/24"), (right, "far", "10.77.0.2/24")):
            ip("-n", host, "addr", "add", address, "dev", interface)
            ip("-n", host, "link", "set", interface, "up")
        yield left, right
    finally:
        ip("netns", "del", left)
        ip("netns", "del", right)


def inside(host, *args, **how):
    return subprocess.Popen(["ip", "netns", "exec", host, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, **how)


def exchange(hosts, connections):
    server = inside(hosts[1], sys.executable, "-c", SERVER % connections)
    for _ in range(100):  # until it listens
        if b":8080" in subprocess.run(["ip", "netns", "exec", hosts[1], "ss", "-ltn"], capture_output=True, check=True).stdout:
            break
        time.sleep(0.05)
    client = inside(hosts[0], sys.executable, "-c", CLIENT % (connections, PAYLOAD))
    assert client.wait(timeout=60 * SLOWNESS) == 0, client.stderr.read()
    server.wait(timeout=60 * SLOWNESS)


def capture(hosts, *args):
    """sluice in the left host, after it has begun to capture."""
    child = inside(hosts[0], PROGRAM, *args, "-i", "near", "-q")
    for _ in range(200):
        with open("/proc/%d/net/packet" % child.pid, encoding="ascii") as file:
            if len(file.readlines()) > 1:
                return child
        time.sleep(0.05)
    raise AssertionError("it does not capture")


def interrupted(child):
    time.sleep(0.5 * SLOWNESS)  # libpcap hands packets over within 0.1 s
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60 * SLOWNESS)
    assert child.returncode == 130, err
    return out, err.decode()


def test_flows_of_real_traffic(hosts):
    """Ctrl-C gives all flows, with the bytes that were sent, and the counters agree."""
    child = capture(hosts, "flows", "-f", "tcp port 8080", "-T", "jsonl")
    exchange(hosts, 5)
    out, err = interrupted(child)
    flows = [json.loads(line) for line in out.splitlines()]
    assert "dropped" not in err
    assert len(flows) == 5 and len({flow["sport"] for flow in flows}) == 5
    for flow in flows:
        assert (flow["src"], flow["dst"], flow["dport"], flow["proto"]) == ("10.77.0.1", "10.77.0.2", 8080, "tcp")
        assert (flow["payload_src"], flow["payload_dst"], flow["state"]) == (PAYLOAD, 4, "SF")


def test_without_root_after_opening(hosts):
    child = capture(hosts, "count", "-Z", "nobody", "-T", "json")
    status = {}
    for _ in range(200):
        with open("/proc/%d/status" % child.pid, encoding="ascii") as file:
            status = dict(re.findall(r"^(\w+):\s*(.*)$", file.read(), re.M))
        if status["Uid"][0] != "0":
            break
        time.sleep(0.05)
    assert set(status["Uid"].split()) == {str(pwd.getpwnam("nobody").pw_uid)} and int(status["CapEff"], 16) == 0
    exchange(hosts, 1)
    out, _ = interrupted(child)
    assert json.loads(out)["bytes"] > PAYLOAD


def test_duration_count_and_snap_length(hosts, tmp_path):
    os.chmod(tmp_path, 0o777)
    child = capture(hosts, "-w", tmp_path / "short.pcap", "-s", "60", "-c", "5", "-f", "tcp")
    exchange(hosts, 1)
    out, err = child.communicate(timeout=60 * SLOWNESS)
    assert (child.returncode, out) == (0, b""), err
    packets = json.loads(subprocess.run([PROGRAM, "summary", tmp_path / "short.pcap", "-T", "json"], capture_output=True,
                                        check=True, cwd=ROOT).stdout)
    assert packets["packets"] == 5 and packets["captured_bytes"] <= 5 * 60 < packets["bytes"]
    done = inside(hosts[0], PROGRAM, "count", "-i", "near", "-a", "duration:0.3", "-T", "json")
    assert json.loads(done.communicate(timeout=60 * SLOWNESS)[0])["packets"] >= 0 and done.returncode == 0


def test_interfaces(sluice):
    if os.geteuid() != 0:
        pytest.skip("libpcap lists interfaces to root")
    assert sluice("-D").stdout.count(b"\n") >= len(socket.if_nameindex())


@pytest.mark.parametrize("args, words", [
    (["-i", "no-such-if"], ["-i no-such-if"]), (["-p", "x.pcap"], ["-i IFACE"]), (["-i", "lo", "x.pcap"], ["x.pcap"]),
    (["-i", "lo", "-a", "packets:3"], ["duration:"]), (["-i", "lo", "-f", "tcp prot"], ["tcp prot"])])
def test_mistakes(sluice, args, words):
    done = sluice("count", *args)
    text = done.stderr.decode()
    assert done.returncode in (1, 2) and done.stdout == b"" and text.count("\n") == 1, text
    assert not [word for word in words if word not in text], text
