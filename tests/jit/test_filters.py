"""The loop that -Y becomes stays compiled: a trace for it, and nothing in it that LuaJIT cannot compile."""
import os
import re
import subprocess

import pytest

from support import PROGRAM, ROOT, SLOWNESS, TRUTH, NO_CAPTURES, path_of

TRACE_RECIPE = os.path.join(ROOT, "tests", "jit", "trace.lua")
LOOP = re.compile(r"^\[TRACE +\d+ packet filter -Y:\d+ loop\]", re.M)
NOT_COMPILED = re.compile(r"^\[TRACE --- .*?packet filter -Y.*?(NYI.*|blacklisted.*)\]", re.M)

with open(os.path.join(ROOT, "tests", "e2e", "filters_like_tshark.txt"), encoding="utf-8") as listed:
    FILTERS = listed.read().splitlines()


@pytest.mark.parametrize("text", FILTERS + ["ip.addr in {%s}" % ",".join("10.1.%d.1" % i for i in range(200))])
def test_filter_is_compiled(text, tmp_path):
    if not TRUTH:
        pytest.skip(NO_CAPTURES)
    log = tmp_path / "traces"
    done = subprocess.run([PROGRAM, TRACE_RECIPE + ",count", "-Y", text,
                           path_of(TRUTH["tls-web-334-flows-ipv4-ipv6.pcap"])], cwd=ROOT, capture_output=True,
                          env={**os.environ, "SLUICE_TRACES": str(log)}, check=False, timeout=60 * SLOWNESS)
    assert done.returncode == 0, done.stderr.decode()
    assert LOOP.search(log.read_text()), "the filter's loop is not compiled"
    assert not NOT_COMPILED.findall(log.read_text())
