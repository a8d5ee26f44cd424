"""A plan on engines that others keep: GNU parallel on one host and over ssh, Slurm, Kubernetes. The result is that of one run,
whatever was killed, run twice or begun again. scripts/engines/README.md says what is run here and what is not."""
import base64
import glob
import os
import random
import re
import shutil
import stat
import subprocess

import pytest

import azure
import cluster
import manifest
from support import EXAMPLE, PROGRAM, ROOT, SLOWNESS

ENGINES = os.path.join(ROOT, "scripts", "engines")
PIECES = 8
FILTER = ("-Y", 'ip && (tcp || udp.port == 53) && !(frame.len in {9998 9999})', "--idle", "30")  # no word for a careless shell
WITHOUT_PARALLEL = cluster.lacking("parallel")
WITHOUT_SSH = cluster.lacking("parallel", "sshd", "ssh-keygen")
WITHOUT_SLURM = cluster.lacking("munged", "slurmctld", "slurmd", "sbatch")

# Recipes whose pieces do not add up, and why: the list is exact.
REFUSED = {"compare": "compares two captures", "packets": "reads number"}


def recipes():
    return sorted(os.path.basename(path)[:-4] for path in glob.glob(os.path.join(ROOT, "lua", "recipes", "*.lua")))


def run(script, *args, env=None, timeout=120, cwd=None):
    """A script of scripts/engines with the program under test."""
    return subprocess.run([os.path.join(ENGINES, script), *map(str, args)], capture_output=True, check=False, timeout=timeout * SLOWNESS,
                          cwd=cwd, env={**os.environ, "SLUICE": PROGRAM, "XDG_CONFIG_HOME": "/nonexistent", **(env or {})})


def good(done):
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture
def plan(sluice, tmp_path):
    """plan(recipe, *options): the path of a plan of the example."""
    def call(recipe, *options, inputs=(EXAMPLE,), pieces=PIECES):
        path = tmp_path / "plan.jsonl"
        path.write_bytes(good(sluice("plan", recipe, *inputs, "--pieces", pieces, *options)))
        return path
    return call


@pytest.fixture
def whole(sluice):
    """whole(recipe, *options): what one run with one worker prints."""
    return lambda recipe, *options, inputs=(EXAMPLE,), timeout=60: good(sluice(recipe, *inputs, "-j", "1", *options, timeout=timeout))


# It stops before its first instruction, and dies within a few milliseconds of work. Where it has written its file by then,
# that does not count.
KILLER = """#!/bin/bash
for word in "$@"; do
    [ "$before" != --piece ] || number=$word
    [ "$before" != --partial ] || file=$word
    before=$word
done
case " %(numbers)s " in
*" $number "*)
    tries=$(($(cat %(folder)s/tries.$number 2>/dev/null) + 1))
    while [ $tries -le %(times)d ]; do
        sh -c 'kill -STOP $$; exec "$0" "$@"' %(program)s "$@" &
        until [ "$(cut -d ' ' -f 3 /proc/$!/stat)" = T ]; do :; done
        kill -CONT $!
        sleep 0.00$((RANDOM %% 5))
        kill -KILL $!
        wait $!
        if [ $? = 137 ] && [ ! -e "$file" ]; then
            echo $tries >%(folder)s/tries.$number
            echo $number >>%(folder)s/killed
            exit 137
        fi
        rm -f "$file"
    done ;;
esac
exec %(program)s "$@"
"""


def killer(folder, numbers, times=1):
    """A program that is sluice, but is killed while it runs each of these pieces, so many times; folder/killed tells."""
    path = folder / "killer"
    path.write_text(KILLER % {"numbers": " ".join(map(str, numbers)), "folder": folder, "times": times, "program": PROGRAM})
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"SLUICE": str(path)}


def killed(folder):
    return sorted(int(line) for line in (folder / "killed").read_text().split())


def a_third(pieces):
    return sorted(random.Random(pieces).sample(range(1, pieces + 1), max(pieces // 3, 1)))


parallel = pytest.mark.skipif(WITHOUT_PARALLEL is not None, reason=str(WITHOUT_PARALLEL))


# --- What all have in common.

def test_the_scripts_are_clean():
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(["shellcheck", "-x", "-P", "SCRIPTDIR", *sorted(glob.glob(ENGINES + "/*.sh"))], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize("script", [("parallel.sh",), ("slurm.sh",), ("kubernetes.sh", "pieces")])
def test_usage(script, tmp_path):
    done = run(*script, "talkers")
    assert done.returncode == 2 and b"usage: " in done.stderr and done.stdout == b""
    (tmp_path / "empty").touch()
    done = run(*script, "talkers", tmp_path / "empty", tmp_path / "out")
    assert done.returncode == 2 and b"empty: no piece in it" in done.stderr
    assert not (tmp_path / "out").exists()


def test_usage_of_kubernetes(plan):
    for words in ((), ("talkers",), ("split", "talkers", plan("talkers"), "out")):
        done = run("kubernetes.sh", *words)
        assert done.returncode == 2 and b"kubernetes.sh pieces|merge RECIPE PLAN FOLDER" in done.stderr and done.stdout == b""


def test_another_parallel(plan, tmp_path):
    """That of moreutils takes other options."""
    other = tmp_path / "bin" / "parallel"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\necho parallel: invalid option >&2\nexit 1\n")
    other.chmod(0o755)
    done = run("parallel.sh", "talkers", plan("talkers"), tmp_path / "out", env={"PATH": "%s:%s" % (other.parent, os.environ["PATH"])})
    assert done.returncode == 2 and b"GNU parallel is not installed" in done.stderr and not (tmp_path / "out").exists()


def test_which_recipes_can_be_cut(sluice):
    """Every built-in recipe has its pieces, or says why not."""
    said = {}
    for name in recipes():
        done = sluice("plan", name, EXAMPLE, "--pieces", PIECES)
        if done.returncode:
            said[name] = done.stderr.decode()
        else:
            assert done.stdout.count(b"\n") == PIECES
    assert sorted(said) == sorted(REFUSED)
    for name, text in said.items():
        assert REFUSED[name] in text


# --- GNU parallel

@parallel
@pytest.mark.parametrize("name", sorted(set(recipes()) - set(REFUSED)))
def test_parallel(plan, whole, tmp_path, name):
    done = run("parallel.sh", name, plan(name), tmp_path / "out", "--", "-T", "json")
    assert good(done) == whole(name, "-T", "json")
    assert len(list((tmp_path / "out").glob("*.part"))) == PIECES
    assert good(run("merge.sh", name, tmp_path / "out")) == whole(name)


@parallel
def test_a_report(sluice, plan, tmp_path):
    """The page is that of one run, but for the record of how it was made."""
    merged, alone = tmp_path / "merged.html", tmp_path / "alone.html"
    good(run("parallel.sh", "report", plan("report"), tmp_path / "out", "--", "-o", merged))
    good(sluice("report", EXAMPLE, "-j", "1", "-o", alone))
    pages = [re.subn('<article class="card record">.*?</article>', "", path.read_text(), flags=re.S) for path in (merged, alone)]
    assert pages[0] == pages[1] and pages[0][1] == 1


@parallel
def test_options_reach_pieces_and_merge(plan, whole, tmp_path):
    done = run("parallel.sh", "talkers", plan("talkers", *FILTER), tmp_path / "out", *FILTER, "--", "-T", "json", "--top", "3")
    assert good(done) == whole("talkers", *FILTER, "-T", "json", "--top", "3")
    done = run("merge.sh", "talkers", tmp_path / "out", "--idle", "60")
    assert done.returncode == 2 and b"idle is 60, but the pieces were made with 30" in done.stderr


@parallel
def test_killed_pieces_are_run_again(plan, whole, tmp_path):
    numbers = a_third(24)
    done = run("parallel.sh", "flows", plan("flows", pieces=24), tmp_path / "out", "--", "-T", "jsonl", env=killer(tmp_path, numbers))
    assert good(done) == whole("flows", "-T", "jsonl")
    assert killed(tmp_path) == numbers
    assert not [name for name in os.listdir(tmp_path / "out") if not name.endswith(".part") and name != "log"], "nothing half is left"


@parallel
def test_pieces_that_are_run_twice(plan, whole, tmp_path):
    """In the same place, at the same time, and into a file that is given beside the first."""
    path, out = plan("talkers"), tmp_path / "out"
    good(run("parallel.sh", "talkers", path, out))
    before = {number: (out / ("%d.part" % number)).read_bytes() for number in (2, 5)}
    both = [subprocess.Popen([ENGINES + "/piece.sh", str(number), "talkers", path, out], env={**os.environ, "SLUICE": PROGRAM})
            for number in (2, 2, 5)]
    assert [each.wait(60) for each in both] == [0, 0, 0]
    assert before == {number: (out / ("%d.part" % number)).read_bytes() for number in before}
    shutil.copy(out / "3.part", out / "again.part")
    assert good(run("merge.sh", "talkers", out, "-T", "json")) == whole("talkers", "-T", "json")


@parallel
def test_begun_again(plan, whole, tmp_path):
    """What never works is said, with the number of the piece; the next run does that piece alone."""
    path, out = plan("talkers"), tmp_path / "out"
    done = run("parallel.sh", "talkers", path, out, env=killer(tmp_path, [3, 6], times=3))
    assert done.returncode == 1 and done.stdout == b"" and killed(tmp_path) == [3, 3, 3, 6, 6, 6]
    assert b"pieces 3, 6 of 8 are missing" in done.stderr
    times = {name: os.stat(out / name).st_mtime_ns for name in os.listdir(out)}
    assert good(run("parallel.sh", "talkers", path, out, "--", "-T", "json")) == whole("talkers", "-T", "json")
    assert sorted(name for name in os.listdir(out) if os.stat(out / name).st_mtime_ns != times.get(name)) == ["3.part", "6.part", "log"]


@parallel
def test_a_folder_of_another_plan(plan, tmp_path):
    good(run("parallel.sh", "talkers", plan("talkers"), tmp_path / "out"))
    done = run("parallel.sh", "talkers", plan("talkers", pieces=9), tmp_path / "out")
    assert done.returncode == 1 and b"another plan" in done.stderr


@parallel
def test_a_capture_that_ends_too_early(sluice, plan, tmp_path):
    """The merge gives what one run gives: the result so far, and exit status 1."""
    short = tmp_path / "short.pcap"
    with open(EXAMPLE, "rb") as file:
        short.write_bytes(file.read(4000000))
    done = run("parallel.sh", "talkers", plan("talkers", inputs=[short]), tmp_path / "out", "--", "-T", "json")
    assert done.returncode == 1 and b"did not reach its end" in done.stderr
    assert done.stdout == sluice("talkers", short, "-j", "1", "-T", "json").stdout


@parallel
@pytest.mark.skipif(azure.absent() is not None, reason=str(azure.absent()))
@pytest.mark.parametrize("place", ["SLUICE_URLS", "SLUICE_URL_FILE"])
def test_blobs_with_a_secret(sluice, tmp_path, whole, place):
    """A SAS is in no plan, no command and no log; the pieces have another one than the plan had."""
    with azure.Azurite(tmp_path) as storage:
        storage.create_container("captures")
        with open(EXAMPLE, "rb") as file:
            storage.upload("captures", "office.pcap", file.read())
        old, new = (storage.url("captures", "office.pcap", azure.container_sas("captures", permissions)) for permissions in ("r", "rl"))
        (tmp_path / "urls").write_text(new + "\n")
        path, env = tmp_path / "plan.jsonl", {"no_proxy": "127.0.0.1"}
        path.write_bytes(good(sluice("plan", "talkers", old, "--pieces", PIECES, env=env)))
        env[place] = new if place == "SLUICE_URLS" else str(tmp_path / "urls")
        done = run("parallel.sh", "talkers", path, tmp_path / "out", "--", "-T", "json", env=env)
        assert good(done) == whole("talkers", "-T", "json")
        for name in (path, tmp_path / "out" / "log", tmp_path / "out" / "3.part"):
            assert b"sig=" not in name.read_bytes()


@pytest.mark.skipif(WITHOUT_SSH is not None, reason=str(WITHOUT_SSH))
def test_parallel_on_many_hosts(plan, whole, tmp_path):
    numbers = a_third(PIECES)
    with cluster.Sshd() as server:
        env = {**server.env, **killer(tmp_path, numbers), "PARALLEL": "--sshlogin node1,node2"}
        done = run("parallel.sh", "talkers", plan("talkers", *FILTER), tmp_path / "out", *FILTER, "--", "-T", "json", env=env)
    assert good(done) == whole("talkers", *FILTER, "-T", "json")
    assert killed(tmp_path) == numbers
    hosts = {line.split("\t")[1] for line in (tmp_path / "out" / "log").read_text().splitlines()[1:]}
    assert hosts == {"node1", "node2"}


# --- Slurm

@pytest.fixture(scope="module")
def slurm():
    if WITHOUT_SLURM:
        pytest.skip(WITHOUT_SLURM)
    with cluster.Slurm() as running:
        yield running


def test_slurm(slurm, plan, whole, tmp_path):
    """With more pieces than an array takes."""
    out = tmp_path / "out"
    done = run("slurm.sh", "talkers", plan("talkers", *FILTER), out, *FILTER, "--", "-T", "json", env={**slurm.env, "SLUICE_ARRAY": "3"})
    assert re.fullmatch(rb"pieces are job \d+ \d+ \d+; job \d+ merges them: .*\n", good(done))
    slurm.finish(60)
    assert (out / "result").read_bytes() == whole("talkers", *FILTER, "-T", "json"), (out / "log" / "merge").read_text()


def test_slurm_queues_killed_pieces_again(slurm, plan, whole, tmp_path):
    numbers, out = a_third(PIECES), tmp_path / "out"
    good(run("slurm.sh", "flows", plan("flows"), out, "--", "-T", "jsonl", env={**slurm.env, **killer(tmp_path, numbers)}))
    slurm.finish(120)
    assert killed(tmp_path) == numbers
    assert (out / "result").read_bytes() == whole("flows", "-T", "jsonl"), (out / "log" / "merge").read_text()


def test_slurm_says_what_is_missing(slurm, plan, tmp_path):
    out = tmp_path / "out"
    good(run("slurm.sh", "talkers", plan("talkers"), out, env={**slurm.env, **killer(tmp_path, [4], times=9)}))
    slurm.finish(120)
    assert killed(tmp_path) == [4, 4, 4], "twice back into the queue"
    assert (out / "result").read_bytes() == b""
    assert "piece 4 of 8 is missing" in (out / "log" / "merge").read_text()


# --- Kubernetes

@pytest.fixture
def objects(plan):
    """objects(*options, merge=()): what kubernetes.sh prints, by kind and name."""
    def call(*options, merge=(), env=None):
        path, found = plan("talkers", *options), {}
        for what in ("pieces", "merge"):
            done = run("kubernetes.sh", what, "talkers", path, "out", *options, "--", *merge, env=env)
            found.update(manifest.read(good(done)))
        return found
    return call


def test_manifest_is_to_its_schema(objects):
    if manifest.absent():
        pytest.skip(manifest.absent())
    found = objects(*FILTER)
    assert sorted(found) == [("ConfigMap", "sluice-plan"), ("Job", "sluice-merge"), ("Job", "sluice-pieces")]
    assert {key: manifest.complaints(thing) for key, thing in found.items()} == {key: [] for key in found}


@pytest.mark.parametrize("change, word", [
    (lambda spec: spec.update(completion="Indexed"), "/spec/completion: unknown"),
    (lambda spec: spec.update(completions="8"), "/spec/completions: type"),
    (lambda spec: spec.update(completionMode="indexed"), "/spec/completionMode: enum"),
    (lambda spec: spec.pop("template"), "/spec: required"),
    (lambda spec: spec["template"]["spec"]["containers"][0].pop("name"), "/containers/0: required"),
    (lambda spec: spec["template"]["spec"]["containers"][0].update(args_=[]), "/containers/0/args_: unknown"),
    (lambda spec: spec["template"]["spec"]["volumes"][0]["persistentVolumeClaim"].update(claim="x"), "/claim: unknown"),
])
def test_the_schema_refuses(objects, change, word):
    if manifest.absent():
        pytest.skip(manifest.absent())
    job = objects()["Job", "sluice-pieces"]
    change(job["spec"])
    assert word in "\n".join(manifest.complaints(job))


def test_manifest_says_how_it_is_run(objects):
    found = objects(env={"SLUICE_IMAGE": "registry.example/sluice:1", "SLUICE_CLAIM": "scratch", "SLUICE_PODS": "5"})
    pieces, merge = found["Job", "sluice-pieces"], found["Job", "sluice-merge"]
    assert (pieces["spec"]["completions"], pieces["spec"]["parallelism"], pieces["spec"]["completionMode"]) == (PIECES, 5, "Indexed")
    assert pieces["spec"]["backoffLimitPerIndex"] == 3
    for job in (pieces, merge):
        pod = job["spec"]["template"]["spec"]
        assert pod["restartPolicy"] == "Never", "backoffLimitPerIndex wants that"
        assert pod["containers"][0]["image"] == "registry.example/sluice:1"
        assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == "scratch"
        (secret,) = pod["containers"][0]["env"]
        assert secret["valueFrom"]["secretKeyRef"] == {"name": "sluice-urls", "key": "urls", "optional": True}


def test_long_plans(tmp_path):
    """10,000 blobs fit into a ConfigMap; what does not is told before anything is printed."""
    draw, path = random.Random(1), tmp_path / "plan"
    line = '{"piece":%d,"pieces":10000,"recipe":"talkers","input":"https://host/container/capture_%d.cap","size":%d,"head":%d,"start":0,"stop":null}\n'
    lines = [line % (i, draw.randrange(10**9), draw.randrange(2**30), draw.randrange(2**32)) for i in range(1, 10001)]
    path.write_text("".join(lines))
    assert good(run("kubernetes.sh", "pieces", "talkers", path, "out")).count(b"completions: 10000\n") == 1
    path.write_text("".join("%x\n" % draw.getrandbits(8000) for _ in range(1000)))
    done = run("kubernetes.sh", "pieces", "talkers", path, "out")
    assert done.returncode == 2 and done.stdout == b"" and b"too long for a ConfigMap" in done.stderr


def test_what_the_pods_run(objects, whole, tmp_path):
    """The commands of the manifest, run one by one in this machine's folders instead of a cluster's pods."""
    found = objects(*FILTER, merge=("-T", "json"))
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "plan.gz").write_bytes(base64.b64decode(found["ConfigMap", "sluice-plan"]["binaryData"]["plan.gz"]))
    places = {"/data": tmp_path / "data", "/plan": tmp_path / "plan"}
    env = {**os.environ, "SLUICE": PROGRAM, "PATH": ENGINES + ":" + os.environ["PATH"]}
    for index in range(PIECES):
        command = manifest.command_of(found["Job", "sluice-pieces"], places, {"JOB_COMPLETION_INDEX": str(index)})
        subprocess.run(command, check=True, env={**env, "JOB_COMPLETION_INDEX": str(index)}, timeout=60 * SLOWNESS)
    command = manifest.command_of(found["Job", "sluice-merge"], places, {})
    done = subprocess.run(command, check=True, env=env, timeout=60 * SLOWNESS, capture_output=True)
    assert done.stdout == whole("talkers", *FILTER, "-T", "json")


# --- What README.md shows.

def shown(section):
    """The commands of a section that are to be run."""
    with open(os.path.join(ENGINES, "README.md"), encoding="utf-8") as file:
        text = re.search(r"^## %s\n(.*?)(?=^## |\Z)" % re.escape(section), file.read(), re.M | re.S)[1]
    found = re.findall(r"(<!-- not run: [^>]+ -->\s*)?^```sh\n(.*?)^```", text, re.M | re.S)
    blocks = [block for not_run, block in found if not not_run]
    assert blocks, section
    return blocks


@pytest.fixture
def checkout(tmp_path):
    for name in ("examples", "scripts"):
        os.symlink(os.path.join(ROOT, name), tmp_path / name)
    os.symlink(PROGRAM, tmp_path / "sluice")
    return tmp_path


def run_block(block, folder, env=None):
    return good(subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=folder, capture_output=True, check=False, timeout=120 * SLOWNESS,
                               env={**os.environ, "SLUICE": PROGRAM, "XDG_CONFIG_HOME": "/nonexistent", **(env or {})}))


@parallel
def test_readme_parallel(checkout, whole):
    for block in shown("GNU parallel, one host"):
        run_block(block, checkout)
    assert (checkout / "talkers.json").read_bytes() == whole("talkers", "-Y", "tcp", "-T", "json")


def test_readme_slurm(slurm, checkout, whole):
    for block in shown("Slurm"):
        printed = run_block(block, checkout, slurm.env)
        slurm.finish(60)
    assert printed == whole("talkers", "-Y", "tcp", "-T", "json")


def test_readme_names_the_recipes_that_cannot_be_cut():
    with open(os.path.join(ENGINES, "README.md"), encoding="utf-8") as file:
        (named,) = re.findall(r"these are (.*?)[.]\n", file.read(), re.S)
    assert re.findall(r"`(\w+)`", named) == sorted(REFUSED)
