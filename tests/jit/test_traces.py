"""The data path stays compiled: LuaJIT's trace log of every recipe that is shipped.

A handler's loop (lua/sluice/loops.lua names them) must have become a trace, and nothing in it may be what
LuaJIT cannot compile. A recipe that falls back to the interpreter still gives the right answer, ten to
forty times slower, so no other test notices."""
import glob
import os
import re
import subprocess

import pytest

from support import EXAMPLE, PROGRAM, ROOT, SLOWNESS

TRACE_RECIPE = os.path.join(ROOT, "tests", "jit", "trace.lua")
RECIPES = sorted(glob.glob(os.path.join(ROOT, "lua", "recipes", "*.lua"))
                 + glob.glob(os.path.join(ROOT, "examples", "*.lua")))
LOOP = re.compile(r"^\[TRACE +(\d+) ([^(]*?)(?::\d+)? loop\]", re.M)
NOT_COMPILED = re.compile(r"^\[TRACE --- .*?((?:packet|flow) (?:loop|filter)[^:]*):\d+ -- (NYI.*|blacklisted.*)\]", re.M)
# How a trace that starts at the end of a loop ends: the loop itself is none the worse for it.
LEAVES_LOOP = "NYI: return to lower frame"


def traces(recipe, path, *args):
    done = subprocess.run([PROGRAM, "%s,%s" % (TRACE_RECIPE, recipe), EXAMPLE, *args], cwd=ROOT,
                          env={**os.environ, "SLUICE_TRACES": str(path)}, capture_output=True, check=False,
                          timeout=60 * SLOWNESS)
    assert done.returncode == 0, done.stderr.decode()
    return path.read_text()


@pytest.mark.parametrize("recipe", RECIPES, ids=[os.path.basename(recipe)[:-4] for recipe in RECIPES])
def test_recipe_is_compiled(recipe, tmp_path):
    log = traces(recipe, tmp_path / "traces")
    assert not [(loop, why) for loop, why in NOT_COMPILED.findall(log) if not why.startswith(LEAVES_LOOP)]


def test_a_loop_is_seen_at_all(tmp_path):
    """The recognition above works: a packet handler's loop shows in the log, and so does what cannot be
    compiled."""
    good, bad = tmp_path / "good.lua", tmp_path / "bad.lua"
    good.write_text("return { start = function() local n = 0\n"
                    "return { packet = function(p) if p.len > 60 then n = n + 1 end end } end }\n")
    bad.write_text("return { start = function() local n\n"
                   "return { packet = function(p) n = function() return p end end } end }\n")
    assert LOOP.findall(traces(good, tmp_path / "one"))
    assert "NYI" in traces(bad, tmp_path / "two")
