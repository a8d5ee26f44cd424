"""Every command that the documentation shows is run on the example capture and must succeed.

Recipes shown whole (```lua blocks that begin with a comment and return a table) are run too. Blocks fenced as ```sh count, lines in them that start with ./sluice or sluice (after an optional `$ `),
continued over a backslash at the end. A block after `<!-- not run: reason -->` is left alone. CAPTURE.pcap names that
are not files become the example capture.
"""
import json
import os
import re
import shutil
import subprocess

import pytest

from support import EXAMPLE, PROGRAM, ROOT, SLOWNESS

DOCUMENTS = ["README.md", "examples/README.md", "lua/README.md"]
BLOCK = re.compile(r"(<!-- not run: [^>]+ -->\s*)?^```sh\n(.*?)^```", re.M | re.S)


def commands():
    for document in DOCUMENTS:
        path = os.path.join(ROOT, document)
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for not_run, block in BLOCK.findall(text):
            for line in re.sub(r"\\\n\s*", "", block).splitlines():
                line = re.sub(r"^\s*(\$ )?", "", line)
                if not not_run and re.search(r"(^|\| )(\./)?sluice ", line):
                    yield pytest.param(line, id="%s: %s" % (document, line[:60]))


@pytest.mark.parametrize("line", list(commands()))
def test_command(line, tmp_path):
    for name in ("examples", "lua"):
        os.symlink(os.path.join(ROOT, name), tmp_path / name)
    os.symlink(PROGRAM, tmp_path / "sluice")
    for name in re.findall(r"[\w./-]+\.pcap(?:ng)?\b", line):
        if not os.path.exists(tmp_path / name) and not os.path.isabs(name) and "://" not in line:
            os.makedirs(os.path.dirname(tmp_path / name), exist_ok=True)
            shutil.copy(EXAMPLE, tmp_path / name)
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=tmp_path, capture_output=True, check=False,
                          timeout=120 * SLOWNESS, env={**os.environ, "PATH": "%s:%s" % (tmp_path, os.environ["PATH"])})
    assert done.returncode in (0, 141 if "head" in line else 0), done.stderr.decode()
    assert done.stdout or "-o" in line or "-w" in line or ">" in line


def recipes():
    for document in DOCUMENTS:
        with open(os.path.join(ROOT, document), encoding="utf-8") as file:
            for block in re.findall(r"^```lua\n(-- .*?^return \{.*?)^```", file.read(), re.M | re.S):
                yield pytest.param(block, id="%s: %s" % (document, block[3:60].splitlines()[0]))


@pytest.mark.parametrize("text", list(recipes()))
def test_recipe(text, tmp_path):
    path = tmp_path / "shown.lua"
    path.write_text(text)
    done = subprocess.run([PROGRAM, path, EXAMPLE, "-T", "json"], capture_output=True, check=False, timeout=120 * SLOWNESS)
    assert done.returncode == 0, done.stderr.decode()
    json.loads(done.stdout)


def test_there_are_commands():
    assert list(recipes())
    assert list(commands()), "no ```sh block with a sluice command in %s" % ", ".join(DOCUMENTS)
