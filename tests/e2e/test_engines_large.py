"""Gigabytes on the engines: a capture of 5 GB in 32 pieces by Slurm, and as 30 rotated captures by GNU parallel, a third of the
pieces killed while they run, for every built-in recipe that can be cut; and the container image, built and run."""
import base64
import glob
import json
import os
import shutil
import subprocess

import pytest

import cluster
import manifest
from support import EXAMPLE, ROOT
from test_engines import PIECES, REFUSED, a_third, good, killed, killer, recipes, run
from test_package import mirror

pytestmark = pytest.mark.large

PACKETS, FLOWS = 6_000_000, 400_000  # 5 GB
CUT, ROTATED = 32, 30
ROOM = 16 << 30
GENERATOR = os.path.join(ROOT, "build", "release", "tests", "bench", "gen")
SECONDS = 600


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def rotate(capture, plan, folder):
    """The capture as many files, as a capture that changes its file every so many bytes."""
    with open(capture, "rb") as source:
        header = source.read(24)
        for piece in lines(plan):
            source.seek(max(piece["start"], 24))
            left = piece["stop"] - source.tell()
            with open(folder / ("rotated-%02d.pcap" % piece["piece"]), "wb") as file:
                file.write(header)
                while left:
                    left -= file.write(source.read(min(left, 1 << 24)))


@pytest.fixture(scope="module")
def captures(tmp_path_factory, sluice):
    """{name: inputs}"""
    folder = tmp_path_factory.mktemp("captures")
    if shutil.disk_usage(folder).free < ROOM:
        pytest.skip("less than 16 GiB are free")
    subprocess.run(["make", "-s", os.path.relpath(GENERATOR, ROOT)], cwd=ROOT, check=True)
    one = folder / "one.pcap"
    subprocess.run([GENERATOR, "--packets", str(PACKETS), "--flows", str(FLOWS), "--size-mix", "full", "-o", one], check=True)
    assert one.stat().st_size > 5e9
    plan = folder / "plan"
    plan.write_bytes(good(sluice("plan", "count", one, "--pieces", ROTATED, timeout=SECONDS)))
    rotate(one, plan, folder)
    yield {"one": [one], "rotated": sorted(folder.glob("rotated-*.pcap"))}
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def slurm():
    why = cluster.lacking("munged", "slurmctld", "slurmd", "sbatch")
    if why:
        pytest.skip(why)
    with cluster.Slurm() as running:
        yield running


def by_slurm(slurm, *args, env):
    good(run("slurm.sh", *args, env={**slurm.env, **env}))
    slurm.finish(SECONDS)
    return (args[2] / "result").read_bytes(), (args[2] / "log" / "merge").read_bytes()


@pytest.mark.parametrize("which", ["one", "rotated"])
@pytest.mark.parametrize("name", sorted(set(recipes()) - set(REFUSED)))
def test_pieces_give_what_one_run_gives(sluice, captures, slurm, tmp_path, name, which):
    inputs, plan = captures[which], tmp_path / "plan"
    plan.write_bytes(good(sluice("plan", name, *inputs, *(("--pieces", CUT) if which == "one" else ()), timeout=SECONDS)))
    pieces = len(lines(plan))
    assert pieces == (CUT if which == "one" else ROTATED)
    numbers = a_third(pieces)
    args, env = (name, plan, tmp_path / "out", "--", "-T", "json"), killer(tmp_path, numbers)
    if which == "one":
        result, said = by_slurm(slurm, *args, env=env)
    else:
        result, said = good(run("parallel.sh", *args, env=env, timeout=SECONDS)), None  # parallel itself says more
    assert killed(tmp_path) == numbers
    one_run = sluice(name, *inputs, "-j", "1", "-T", "json", timeout=SECONDS)
    same = result == good(one_run)  # no assertion that would show megabytes
    shutil.rmtree(tmp_path / "out")
    assert said in (None, one_run.stderr)
    assert same and result


# --- The image

BUILDAH = ("buildah", "--storage-driver", "vfs")


@pytest.fixture
def image(tmp_path):
    """buildah(*args), after it has built the Containerfile; Debian's image is made by debootstrap, because there may be no registry."""
    if os.geteuid() != 0 or not shutil.which("buildah") or not shutil.which("debootstrap"):
        pytest.skip("needs root, buildah and debootstrap")

    def buildah(*args):
        done = subprocess.run([*BUILDAH, "--root", tmp_path / "store", "--runroot", tmp_path / "run", *map(str, args)], capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    base, clone = tmp_path / "base", tmp_path / "clone"
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", base, mirror()], check=True, stdout=subprocess.DEVNULL)
    for name in glob.glob("/etc/apt/sources.list*") + glob.glob("/etc/apt/apt.conf.d/*") + ["/etc/resolv.conf", "/etc/hosts"]:
        if os.path.isdir(name):
            shutil.copytree(name, str(base) + name, dirs_exist_ok=True)
        elif os.path.exists(name):
            shutil.copy(name, str(base) + name)
    scratch = buildah("from", "scratch").strip()
    buildah("add", "-q", scratch, base, "/")
    buildah("commit", "-q", scratch, "docker.io/library/debian:bookworm-slim")
    buildah("rm", scratch)
    subprocess.run(["git", "clone", "-q", ROOT, clone], check=True)
    buildah("bud", "--isolation", "chroot", "--pull-never", "-f", clone / "scripts/engines/Containerfile", "-t", "sluice", clone)
    yield buildah
    subprocess.run(["rm", "-rf", "--one-file-system", tmp_path], check=True)


def test_the_image_runs_what_the_manifest_says(sluice, image, tmp_path):
    data, plan = tmp_path / "data", tmp_path / "plan"
    for folder in (data, plan):
        folder.mkdir()
        folder.chmod(0o777)
    shutil.copy(EXAMPLE, data / "office.pcap")
    container = image("from", "--pull-never", "sluice").strip()

    def pod(command, variables=()):
        words = [word for pair in variables for word in ("--env", "%s=%s" % pair)]
        return image("run", "--isolation", "chroot", *words, "--volume", "%s:/data" % data, "--volume", "%s:/plan" % plan, container,
                     "--", *command)

    (tmp_path / "plan.jsonl").write_text(pod(["sluice", "plan", "talkers", "/data/office.pcap", "--pieces", str(PIECES)]))
    objects = {}
    for what in ("pieces", "merge"):
        objects.update(manifest.read(good(run("kubernetes.sh", what, "talkers", tmp_path / "plan.jsonl", "out", "--", "-T", "json"))))
    (plan / "plan.gz").write_bytes(base64.b64decode(objects["ConfigMap", "sluice-plan"]["binaryData"]["plan.gz"]))
    for index in range(PIECES):
        variable = ("JOB_COMPLETION_INDEX", str(index))
        pod(manifest.command_of(objects["Job", "sluice-pieces"], {}, dict([variable])), [variable])
    result = pod(manifest.command_of(objects["Job", "sluice-merge"], {}, {}))
    assert result.encode() == good(sluice("talkers", EXAMPLE, "-j", "1", "-T", "json"))
    assert os.stat(data / "out" / "1.part").st_uid == 1000, "nobody is root in there"
    assert "sluice" in pod(["sluice", "--version"])
