"""sluice as a program of the system: manual page, completion, installing and removing."""
import os
import re
import shutil
import subprocess

import pytest

from support import PROGRAM, ROOT, SANITISED, SLOWNESS

MAN = os.path.join(ROOT, "src", "sluice.1")
COMPLETION = os.path.join(ROOT, "scripts", "completion")


def options_of(text):
    return set(re.findall(r"^  (--?[A-Za-z][\w-]*)", text, re.M)) | set(re.findall(r"^  -\w, (--[\w-]+)", text, re.M))


def test_manual_page_has_every_option(sluice):
    with open(MAN, encoding="utf-8") as file:
        text = file.read().replace("\\-", "-").replace("\\fB", "").replace("\\fR", "")
    options = options_of(sluice("--help").stdout.decode())
    assert len(options) > 30
    assert not [option for option in options if not re.search(r"(^|, )%s\b" % re.escape(option), text, re.M)]


@pytest.mark.skipif(not shutil.which("man"), reason="no man")
def test_manual_page_is_sound():
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", MAN], capture_output=True, check=True,
                          env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
    assert done.stderr == b"" and b"EXIT STATUS" in done.stdout


def completed(line, tmp_path):
    """What bash offers at the end of the line."""
    if not (tmp_path / "sluice").exists():
        os.symlink(PROGRAM, tmp_path / "sluice")
    words = line.split(" ")
    script = 'compopt() { :; }; . "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sluice; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script, os.path.join(COMPLETION, "sluice.bash"), *words], capture_output=True, check=True,
                          timeout=60 * SLOWNESS, env={**os.environ, "PATH": "%s:%s" % (tmp_path, os.environ["PATH"])})
    return done.stdout.decode().split()


@pytest.mark.parametrize("line, wanted", [
    ("sluice sum", ["summary"]), ("sluice ev", ["eval"]), ("sluice flows --ma", ["--max-flows"]),
    ("sluice talkers --top", ["--top"]), ("sluice -T fie", ["fields"]), ("sluice -e tcp.seq", ["tcp.seq_raw"]),
    ("sluice -e ip.dsfield.", ["ip.dsfield.dscp", "ip.dsfield.ecn"]), ("sluice -z io,s", ["io,stat,"]), ("sluice x.pc", [])])
def test_completion(tmp_path, line, wanted):
    assert completed(line, tmp_path) == wanted


@pytest.mark.parametrize("shell, name", [("bash", "sluice.bash"), ("zsh", "_sluice"), ("fish", "sluice.fish")])
def test_completion_is_sound(shell, name):
    if not shutil.which(shell):
        pytest.skip("no " + shell)
    done = subprocess.run([shell, "-n", os.path.join(COMPLETION, name)], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(SANITISED, reason="installs the release build")
def test_install_and_uninstall(tmp_path, example):
    """What is installed runs from its place and goes away without a trace."""
    def make(target):
        subprocess.run(["make", "-s", "-o", "sluice", target, "DESTDIR=%s" % tmp_path, "PREFIX=/usr"], cwd=ROOT, check=True, capture_output=True)

    make("install")
    files = [os.path.relpath(os.path.join(folder, name), tmp_path) for folder, _, names in os.walk(tmp_path) for name in names]
    for name in ("usr/bin/sluice", "usr/share/man/man1/sluice.1", "usr/share/bash-completion/completions/sluice",
                 "usr/share/zsh/site-functions/_sluice", "usr/share/fish/vendor_completions.d/sluice.fish"):
        assert name in files
    assert not [name for name in files if os.stat(tmp_path / name).st_mode & 0o022]
    os.symlink(tmp_path / "usr/share/sluice/lua", tmp_path / "usr/bin/lua")  # its own place is for another PREFIX
    done = subprocess.run([tmp_path / "usr/bin/sluice", "count", example], capture_output=True, check=True, cwd="/")
    assert b"packets" in done.stdout
    os.unlink(tmp_path / "usr/bin/lua")
    make("uninstall")
    assert not [names for _, _, names in os.walk(tmp_path) if names]


def test_compiled_modules(tmp_path):
    """What make has compiled of a module is taken where it is not older than the source, and is whole."""
    shutil.copy2(PROGRAM, tmp_path / "sluice")
    shutil.copytree(os.path.join(ROOT, "lua"), tmp_path / "lua")
    source = tmp_path / "lua/sluice/help.lua"
    compiled = tmp_path / "lua/compiled/sluice/help.luac"

    def version():
        done = subprocess.run([tmp_path / "sluice", "--version"], capture_output=True, check=True)
        return done.stdout.split()[0]

    text = source.read_text()
    compiled.write_text(text.replace('"sluice " ..', '"compiled " ..'))
    os.utime(source, (1e9, 1e9))
    os.utime(compiled, (1e9, 1e9))
    assert version() == b"compiled"
    os.utime(source, (1e9 + 1, 1e9 + 1))
    assert version() == b"sluice"
    os.utime(source, (1e9, 1e9))
    compiled.write_bytes(b"\x1bLJ\x7f")  # of another LuaJIT
    assert version() == b"sluice"
    compiled.unlink()
    assert version() == b"sluice"


def test_libcurl_is_loaded_for_urls_only(tmp_path, sluice, example):
    """With a libcurl that lacks everything, files are read, and a URL is an error that says why."""
    subprocess.run(["gcc", "-shared", "-o", tmp_path / "libcurl.so.4", "-x", "c", os.devnull], check=True)
    env = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}

    def run(*args):
        return subprocess.run([PROGRAM, *args], capture_output=True, check=False, env=env)

    assert run("count", example).stdout == sluice("count", example).stdout
    assert b"URLs cannot be read" in run("--version").stdout
    done = run("count", "http://127.0.0.1:1/x.pcap")
    assert done.returncode == 1
    assert b"URLs cannot be read without libcurl.so.4: it has no curl_version" in done.stderr


@pytest.mark.large
@pytest.mark.skipif(not shutil.which("dpkg-shlibdeps"), reason="no dpkg-dev")
def test_debian_package(tmp_path, example):
    """It is built, lintian finds no error, and what it holds runs."""
    shutil.rmtree(os.path.join(ROOT, "build", "deb"), ignore_errors=True)
    out = subprocess.run(["make", "-s", "deb"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    package = os.path.join(ROOT, re.search(r"in '(build/sluice_.*\.deb)'", out)[1])
    if shutil.which("lintian"):
        done = subprocess.run(["lintian", "--fail-on", "error", package], capture_output=True, check=False)
        assert done.returncode == 0, done.stdout
    subprocess.run(["dpkg-deb", "-x", package, tmp_path], check=True)
    os.symlink(tmp_path / "usr/share/sluice/lua", tmp_path / "usr/bin/lua")
    assert b"packets" in subprocess.run([tmp_path / "usr/bin/sluice", "count", example], capture_output=True, check=True, cwd="/").stdout
