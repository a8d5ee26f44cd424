"""The command line: help, mistakes, recipes that fail, and outputs that go away."""
import glob
import json
import os
import re
import signal
import subprocess
import time

import pytest

import support
from support import PROGRAM, ROOT, SLOWNESS

PORT_BYTES = os.path.join(ROOT, "examples", "port-bytes.lua")
EXAMPLES = sorted(glob.glob(os.path.join(ROOT, "examples", "*.lua")))
BUILT_IN = ["summary", "flows", "count", "packets", "protocols", "talkers", "timeline", "geomap"]


def refused(done, *words):
    """Exit 2, nothing on standard output, one line that holds the words."""
    text = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b""), text
    assert text.count("\n") == 1, text
    assert not [word for word in words if word not in text], text
    return text


# --- Help and names.

def test_help(sluice):
    done = sluice("--help")
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    for word in ("-f", "-T", "-o", "-r", "--idle", "--max-flows", "--geo", "--top", "eval", "recipes", "--url-file"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 100


def test_version(sluice):
    done = sluice("--version")
    assert done.returncode == 0 and re.match(rb"sluice \S+\n", done.stdout)
    for library in (b"libpcap", b"libcurl", b"libmaxminddb", b"LuaJIT"):
        assert library in done.stdout


def test_recipes_lists_what_can_be_run(sluice):
    done = sluice("recipes")
    assert done.returncode == 0
    text = done.stdout.decode()
    for name in BUILT_IN:
        assert re.search(r"^\s*%s\s+\S" % name, text, re.M), name


@pytest.mark.parametrize("name", BUILT_IN)
def test_recipe_help(sluice, name):
    done = sluice(name, "--help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert name in done.stdout.decode()


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("form", ["text", "json", "jsonl", "csv", "tsv"])
def test_every_recipe_in_every_form(sluice, example, name, form):
    done = sluice(name, example, "-T", form, "-f", "tcp port 443")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"\n") and done.stdout.strip()
    if form == "json":
        json.loads(done.stdout)
    if form == "jsonl":
        support.json_lines(done.stdout)


# --- Mistakes.

def test_unknown_option(sluice, example):
    refused(sluice("flows", "--idel", "5", example), "--idel", "--idle")


def test_habits_of_tcpdump_and_tshark(sluice, example):
    """-n and -l ask for what is so already; what tshark is better at is said."""
    want = sluice("-r", example, "-c", "3").stdout
    for habit in (["-nr", example], ["-nn", "-l", "-r", example]):
        done = sluice(*habit, "-c", "3")
        assert (done.returncode, done.stdout, done.stderr) == (0, want, b"")
    refused(sluice("-V", "-r", example), "-V", "| tshark -r - -V")
    refused(sluice("-G", "fields"), "sluice fields")


def test_unknown_recipe(sluice, example):
    refused(sluice("flwos", "-r", example), "flwos", "flows")


def test_option_without_its_value(sluice, example):
    refused(sluice("flows", example, "--idle"), "--idle")


@pytest.mark.parametrize("args", [("--idle", "soon"), ("-c", "many"), ("--max-flows", "-1"), ("-T", "xml"),
                                  ("--top", "1e99x")])
def test_value_that_makes_no_sense(sluice, example, args):
    refused(sluice("flows", example, *args), *args)


def test_bad_bpf(sluice, example):
    refused(sluice("flows", example, "-f", "tcp prot 80"), "tcp prot 80")


def test_missing_file(sluice):
    done = sluice("summary", "no/such.pcap")
    assert done.returncode == 1 and done.stdout == b""
    assert re.fullmatch(rb".*no/such\.pcap.*No such file.*\n", done.stderr)


def test_url_that_is_not_read_keeps_its_password(sluice):
    done = sluice("summary", "s3://me:pa55@bucket/x.pcap")
    assert done.returncode == 2 and b"s3://" in done.stderr and b"only http" in done.stderr
    assert b"me" not in done.stderr.split(b"only")[0] and b"pa55" not in done.stderr


def test_directory_as_input(sluice, tmp_path):
    done = sluice("summary", tmp_path)
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1
    assert b"directory" in done.stderr and str(tmp_path).encode() in done.stderr


def test_unreadable_file(sluice, tmp_path):
    path = tmp_path / "locked.pcap"
    path.write_bytes(support.pcap([]))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root reads everything")
    done = sluice("summary", path)
    assert done.returncode == 1 and b"Permission denied" in done.stderr


@pytest.mark.parametrize("args", [
    ("summary", "\x1b[31mred\x07\x9b31m\u202e.pcap"), ("\x9b31m\u202e",), ("count", "--from", "\x9b31m\u202e", "x.pcap"),
    ("count", "-Y", "a\x9b31m\u202e", "x.pcap")])
def test_names_cannot_drive_the_terminal(sluice, args):
    done = sluice(*args)
    text = done.stderr.decode()
    assert done.returncode in (1, 2)
    assert not [c for c in text.replace("\n", "") if ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0 or c == "\u202e"], text


# --- Outputs that go away.

@pytest.mark.parametrize("args", [("packets",), ("flows", "-T", "jsonl"), ("summary",)])
def test_full_disk(sluice, example, args):
    with open("/dev/full", "wb") as full:
        done = sluice(*args, example, stdout=full)
    assert done.returncode not in (0, 130)
    assert b"No space left on device" in done.stderr and done.stderr.count(b"\n") == 1


def test_full_disk_with_o(sluice, example, tmp_path):
    path = tmp_path / "no" / "folder.csv"
    done = sluice("flows", example, "-o", path)
    assert done.returncode == 2 or done.returncode == 1
    assert str(path).encode() in done.stderr and done.stderr.count(b"\n") == 1


def test_reader_that_leaves_early(example):
    command = '"$0" packets "$1" | head -n 1'
    done = subprocess.run(["bash", "-c", command + '; echo "${PIPESTATUS[0]}" >&2', PROGRAM, example],
                          capture_output=True, timeout=60 * SLOWNESS, check=False)
    assert done.stdout.count(b"\n") == 1
    # Ended by SIGPIPE or quietly by itself; not a word either way.
    assert done.stderr in (b"0\n", b"141\n"), done.stderr


# --- Recipes from files and from the command line.

def test_the_contracts_recipe_runs_as_it_stands(sluice, example):
    done = sluice(PORT_BYTES, example)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "Bytes per server port" in done.stdout.decode()
    rows = json.loads(sluice(PORT_BYTES, example, "-T", "json").stdout)
    want = {}
    for flow in support.json_lines(sluice("flows", example, "-f", "tcp", "-T", "jsonl").stdout):
        want[flow["dport"]] = want.get(flow["dport"], 0) + flow["bytes_src"] + flow["bytes_dst"]
    largest = sorted(want.items(), key=lambda item: (-item[1], item[0]))[:10]
    assert [(row["port"], row["bytes"]) for row in rows] == largest


@pytest.mark.parametrize("path", EXAMPLES, ids=[os.path.basename(path) for path in EXAMPLES])
def test_every_example_runs(sluice, example, path):
    done = sluice(path, example)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.strip()


def test_a_recipes_option(sluice, example):
    rows = json.loads(sluice(PORT_BYTES, example, "--top", "2", "-T", "json").stdout)
    assert len(rows) == 2


def test_eval(sluice, example):
    done = sluice("eval", "return p.dport == 53", example, "-T", "json")
    assert (done.returncode, done.stderr) == (0, b"")
    queries = json.loads(sluice("count", example, "-f", "dst port 53", "-T", "json").stdout)["packets"]
    assert str(queries) in done.stdout.decode() and queries > 0


@pytest.mark.parametrize("text, words", [
    ("return {\n  start = function(opt)\n    local x = = 1\n  end }\n", ("line 3",)),
    ("return { start = function()\n  return {\n  packet = function(p) return p.no_such_field end } end }\n",
     ("line 3", "no_such_field", "packet 1")),
    ("return { start = function()\n  return { flow = function(f)\n  return f.no_such_field end } end }\n",
     ("line 3", "no_such_field")),
    ("return {\n  start = function()\n    local t\n    return { finish = function() return t.x end }\n  end }\n",
     ("line 4",)),
    ("return {\n  start = function()\n    undefined_thing()\n  end }\n", ("line 3", "undefined_thing")),
    ("return {\n  start = function()\n    forgotten = 1\n    return {}\n  end }\n", ("line 3", "forgotten", "local")),
    ("return 42\n", ("table",)),
    ("return { start = function() return { pakcet = function(p) end } end }\n", ("pakcet", "packet")),
    ("return { options = { top = 5 }, start = function() return {} end }\n", ("top", "default")),
    ("error('own words')\n", ("own words",)),
], ids=["syntax", "packet", "flow", "finish", "start", "global", "no table", "misspelt handler", "bad option",
        "error at load"])
def test_bad_recipe(sluice, example, tmp_path, text, words):
    path = tmp_path / "broken.lua"
    path.write_text(text)
    done = sluice(path, example)
    line = done.stderr.decode()
    assert done.returncode == 2 and line.count("\n") == 1, line
    assert "broken.lua" in line and not [word for word in words if word not in line], line


def test_missing_recipe_file(sluice, example):
    refused(sluice("no/such.lua", example), "no/such.lua")


# --- Interrupted.


def test_interrupt_gives_the_result_so_far(example):
    with open(example, "rb") as file:
        data = file.read()
    with subprocess.Popen([PROGRAM, "count", "-", "-T", "json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as child:
        child.stdin.write(data)
        child.stdin.flush()
        time.sleep(1 * SLOWNESS)  # it now waits for more
        child.send_signal(signal.SIGINT)
        time.sleep(0.5 * SLOWNESS)
        out, err = child.communicate(timeout=30)
    assert child.returncode == 130, err
    assert json.loads(out)["packets"] == len(support.pcap_records(data))


def test_interrupt_before_anybody_writes(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen([PROGRAM, "count", tmp_path / "pipe"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        time.sleep(1 * SLOWNESS)  # it now waits for somebody who writes
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert child.returncode == 130 and out == b"" and b"interrupted before its first bytes came" in err, err
