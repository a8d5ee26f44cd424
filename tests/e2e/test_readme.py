"""Every command that the documentation shows is run on the example capture and must succeed.

Blocks fenced as ```sh count, lines in them that start with ./sluice or sluice (after an optional `$ `),
continued over a backslash at the end. A block after `<!-- not run: reason -->` is left alone. CAPTURE.pcap names that
are not files become the example capture.
"""
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


def test_there_are_commands():
    assert list(commands()), "no ```sh block with a sluice command in %s" % ", ".join(DOCUMENTS)
