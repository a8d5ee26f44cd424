"""Making captures, and running processes with a clock beside them."""

import hashlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cases import UDP_SINK_PORT

BUILD = Path(__file__).resolve().parents[2] / "build" / "release" / "tests" / "bench"
GENERATOR, LAUNCHER, FILTER_C = BUILD / "gen", BUILD / "launch", BUILD / "filter_c"
TIME_LIMIT_S = 300
SOURCES = ("gen.c", "gen_flow.c", "gen_flow.h", "gen_frame.c", "gen_frame.h")


class Failed(Exception):
    """A case could not be measured; the message says why."""


@dataclass
class Sample:
    wall_s: float
    cpu_s: float
    max_rss_bytes: int
    stdout: bytes


def run(command):
    """One run of a command that must succeed."""
    name = Path(command[0]).name
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        report, stdout, stderr = (Path(folder) / each for each in ("report", "stdout", "stderr"))
        with open(stdout, "wb") as out, open(stderr, "wb") as err:
            try:
                status = subprocess.run([LAUNCHER, report, *command], stdin=subprocess.DEVNULL,
                                        stdout=out, stderr=err, timeout=TIME_LIMIT_S,
                                        check=False).returncode
            except subprocess.TimeoutExpired:
                raise Failed(f"{name} took more than {TIME_LIMIT_S} s") from None
        if status:
            said = stderr.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise Failed(f"{name} ended with {status}: {said[-1] if said else 'without a word'}")
        wall_s, user_s, system_s, max_rss_bytes = report.read_text(encoding="utf-8").split()
        with open(stdout, "rb") as out:
            return Sample(float(wall_s), float(user_s) + float(system_s), int(max_rss_bytes),
                          out.read(1 << 20))


def side_by_side(commands, rounds, written=(None, None)):
    """Samples of each command, run in turn, after one round that does not count. written: the file that each one
    writes, or None; it is not there when the command starts."""
    samples = [[] for _ in commands]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        try:
            sink.bind(("127.0.0.1", UDP_SINK_PORT))
        except OSError as error:
            raise Failed(f"cannot bind 127.0.0.1:{UDP_SINK_PORT}: {error.strerror}") from None
        for number in range(rounds + 1):
            for command, kept, path in zip(commands, samples, written):
                if path:
                    path.unlink(missing_ok=True)
                sample = run(command)
                if number:
                    kept.append(sample)
    return samples


def median(samples, field):
    return statistics.median(getattr(sample, field) for sample in samples)


def generate(options, packer, path):
    """Runs the generator, through a packer where the capture is a compressed one."""
    with open(path, "wb") as file:
        made = subprocess.Popen([GENERATOR, *options, "-o", "-"],
                                stdout=subprocess.PIPE if packer else file)
        packed = subprocess.run(packer, stdin=made.stdout, stdout=file,
                                check=False).returncode if packer else 0
        if packer:
            made.stdout.close()  # or gen would wait for a packer that is gone
        if made.wait() or packed:
            raise Failed(f"gen ended with {made.returncode}" +
                         (f", {packer[0]} with {packed}" if packer else ""))


def make_file(folder, name, spec, scale):
    """The capture's path; made unless one from the same options and generator is there."""
    packets, flows = spec.scaled(scale)
    options = ["--packets", str(packets), "--flows", str(flows), *spec.options]
    digest = hashlib.sha256(" ".join([*options, spec.packer]).encode())
    for source in SOURCES:
        digest.update((Path(__file__).parent / source).read_bytes())
    path = Path(folder) / f"{name}-{digest.hexdigest()[:12]}.pcap"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob(f"{name}-" + "?" * 12 + ".pcap"):
        old.unlink()
    room = packets * (1600 if "full" in spec.options else 120)
    if shutil.disk_usage(path.parent).free < room:
        raise Failed(f"{path.parent} has less than {room >> 20} MiB free; "
                     "set SLUICE_BENCH_DATA to another folder")
    print(f"  making {path} …", file=sys.stderr, flush=True)
    unfinished = path.with_suffix(".part")
    generate(options, spec.packer.split(), unfinished)
    unfinished.rename(path)
    return path


def cache(path):
    """Read a file, so that the page cache holds it for everybody."""
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        while file.readinto(buffer):
            pass
