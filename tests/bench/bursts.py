"""A capture whose hosts talk in bursts, and what --sample says of it under many seeds.

Forty hosts, each an on-off source: silent for times drawn from an exponential distribution, then a burst of
packets whose number is drawn from a Pareto distribution (shape 1.3, 30 to 6,000 packets), 4,000 packets a second.
How often a host begins follows Zipf's law, the busiest one 40 times as often as the last. A burst is a download
(frames of 1514 bytes), a call (214) or a talk (60 to 300), so that bytes are more uneven than packets. 60 bytes of
each frame are kept: some 860 packets a block of 64 KiB.
"""

import heapq
import json
import random
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor

HOSTS, SHAPE, LEAST, MOST, RATE, KEPT = 40, 1.3, 30, 6000, 4000.0, 60
SERVER = "192.0.2.1"


def address(text):
    return bytes(map(int, text.split(".")))


def frame(source, protocol, port):
    """60 bytes of a frame, and behind that whatever its length on the wire says."""
    transport = struct.pack(">HH", 40000, port) + (bytes(8) + b"\x50\x18" + bytes(6) if protocol == 6 else bytes(4))
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 46, 0, 0, 64, protocol, 0, address(source), address(SERVER))
    return (bytes(12) + b"\x08\x00" + ip + transport).ljust(KEPT, b"\0")


def bursts(draw, host):
    """(time, packets left, length on the wire or 0: of a talk, protocol) without end."""
    pause, now = 0.25 * (host + 1), 0.0
    while True:
        now += draw.expovariate(1 / pause)
        size = min(MOST, int(LEAST * draw.paretovariate(SHAPE)))
        kind = draw.choice([(1514, 6), (214, 17), (0, 6), (0, 17)])
        yield now, size, *kind
        now += size / RATE


def packets(total, seed):
    """(time, host, length, protocol) of so many packets in their order."""
    draw = random.Random(seed)
    sources = [bursts(draw, host) for host in range(HOSTS)]
    waiting = [(*next(source)[:1], host, 0, 0, 0) for host, source in enumerate(sources)]
    heapq.heapify(waiting)
    for _ in range(total):
        now, host, left, length, protocol = heapq.heappop(waiting)
        while not left:
            now, left, length, protocol = next(sources[host])
        yield now, host, length or draw.randrange(60, 300), protocol
        heapq.heappush(waiting, (now + 1 / RATE, host, left - 1, length, protocol))


def write(path, total, seed=1):
    """Writes the capture; returns {address or "all": [packets, bytes]}."""
    truth = {"all": [0, 0]}
    names = [f"10.0.{host // 8}.{host % 8 + 1}" for host in range(HOSTS)]
    frames = {(host, protocol): frame(names[host], protocol, 443 if protocol == 6 else 53)
              for host in range(HOSTS) for protocol in (6, 17)}
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, KEPT, 1))
        for now, host, length, protocol in packets(total, seed):
            file.write(struct.pack("<IIII", 1700000000 + int(now), int(now % 1 * 1e6), KEPT, length))
            file.write(frames[host, protocol])
            for key in (names[host], "all"):
                sums = truth.setdefault(key, [0, 0])
                sums[0] += 1
                sums[1] += length
    truth[SERVER] = truth["all"]
    return truth


def estimates(sluice, path, part, seed):
    """Rows of talkers, and what count says of all packets."""
    rows = []
    for recipe in ("talkers", "count"):
        done = subprocess.run([sluice, recipe, path, "-q", "--sample", part, "--seed", str(seed), "-T", "json"],
                              capture_output=True, check=True)
        rows += json.loads(done.stdout) if recipe == "talkers" else [{"address": "all", **json.loads(done.stdout)}]
    return rows


def coverage(sluice, path, truth, part, seeds, workers=2):
    """{(key, "packets" or "bytes"): [intervals that hold the truth, intervals]}."""
    held = {}
    with ThreadPoolExecutor(workers) as pool:
        for rows in pool.map(lambda seed: estimates(sluice, path, part, seed), seeds):
            for row in rows:
                for i, what in enumerate(("packets", "bytes")):
                    hits = held.setdefault((row["address"], what), [0, 0])
                    hits[0] += row[what + "_low"] <= truth[row["address"]][i] <= row[what + "_high"]
                    hits[1] += 1
    return held


def shares(held):
    """What part of the intervals holds the truth: of hosts together, of all packets, and of the worst host that was
    estimated in at least half of the runs, with its name. The server, which is in every packet, is left out."""
    hosts = {key: sums for key, sums in held.items() if key[0] not in ("all", SERVER)}
    runs = max(n for _, n in held.values())

    def share(keys):
        return sum(held[key][0] for key in keys) / sum(held[key][1] for key in keys)

    worst = min((share([key]), *key) for key, (_, n) in hosts.items() if n >= runs / 2)
    return share(hosts), share([("all", "packets"), ("all", "bytes")]), worst
