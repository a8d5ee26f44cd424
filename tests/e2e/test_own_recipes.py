"""Recipes of one's own: where they are found, what they may require, `sluice new` and `sluice check`."""
import re

import pytest

COUNT = 'return { about = "%s", start = function() return { finish = function(out) out:text { title = "t", lines = { "%s" } } end } end }\n'


@pytest.fixture
def home(tmp_path):
    """Environment with an own $SLUICE_PATH of two folders and an own configuration folder."""
    for folder in ("one", "two", "config/sluice/recipes"):
        (tmp_path / folder).mkdir(parents=True)
    return {"SLUICE_PATH": "%s:%s" % (tmp_path / "one", tmp_path / "two"), "XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}


def test_recipes_of_ones_own_are_found_by_name(sluice, example, tmp_path, home):
    (tmp_path / "two" / "mine.lua").write_text(COUNT % ("of two", "two"))
    (tmp_path / "config/sluice/recipes/mine.lua").write_text(COUNT % ("of config", "config"))
    (tmp_path / "config/sluice/recipes/other.lua").write_text(COUNT % ("other things", "other"))
    (tmp_path / "one" / "count.lua").write_text(COUNT % ("not this", "shadow"))
    assert b"two" in sluice("mine", example, env=home).stdout
    assert b"other" in sluice("other", example, env=home).stdout
    assert b"shadow" not in sluice("count", example, env=home).stdout, "built-in names stay what they are"
    listed = sluice("recipes", env=home).stdout.decode()
    assert "of two" in listed and "other things" in listed and "of config" not in listed and "not this" not in listed
    assert sluice("mine", example, env={**home, "SLUICE_PATH": ""}).stdout.split()[1] == b"config"


def test_the_home_folder_without_xdg(sluice, example, tmp_path, home):
    folder = tmp_path / ".config/sluice/recipes"
    folder.mkdir(parents=True)
    (folder / "mine.lua").write_text(COUNT % ("x", "home"))
    assert b"home" in sluice("mine", example, env={**home, "XDG_CONFIG_HOME": ""}).stdout


def test_require_from_the_recipes_folder(sluice, example, tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "ports.lua").write_text("local M = {} function M.web(p) return p.dport == 443 end return M\n")
    recipe = tmp_path / "mine.lua"
    recipe.write_text('local ports = require "lib.ports"\nassert(require "lib.ports" == ports and require "bit" == bit)\n'
                      'return { start = function() local c = count { "c" } return { packet = function(p) if ports.web(p) then c:add(1) end end,\n'
                      'finish = function(out) out:record { title = "t", fields = { { "n", c:value() } } } end } end }\n')
    one = sluice(recipe, example, "-T", "json", "-j", 1)
    assert one.returncode == 0 and int(one.stdout.split(b":")[1].strip(b" }\n")) > 1000
    assert sluice(recipe, example, "-T", "json", "-j", 2).stdout == one.stdout
    (tmp_path / "lib" / "ports.lua").write_text("return undefined_thing\n")
    done = sluice(recipe, example)
    assert done.returncode == 2 and b"ports.lua line 1" in done.stderr


def test_new_is_a_recipe_that_works(sluice, example, tmp_path):
    made = sluice("new", "mine", cwd=tmp_path)
    assert made.returncode == 0 and b"sluice ./mine.lua IN" in made.stdout
    assert sluice(tmp_path / "mine.lua", example, "--top", 3).returncode == 0
    assert sluice("check", tmp_path / "mine.lua").stdout.endswith(b"mine.lua: good\n")
    again = sluice("new", "mine", cwd=tmp_path)
    assert again.returncode == 2 and b"there already" in again.stderr
    assert sluice("new").returncode == 2 and sluice("new", "no/such/folder/x", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize("handler, said, status", [
    ("packet = function(p) c:add(p.len) end", "several workers may share its work", 0),
    ("packet = function(p)\nn = n + 1 end", "one worker: .*line 3 writes the upvalue `n`", 0),
    ("packet = function(p) if p.len > 1e9 then c:add(nothing) end end", "wrong: line 2 reads the variable `nothing`", 2),
    ("packet = function(p) if p.len > 1e9 then total = 1 end end", "wrong: line 2 sets the variable `total`", 2),
    ("packet = function(p)\nlocal s = p.proto_name:gsub('t', 'd')\nif #s > 9 then c:add(1) end end", "slow: line .* string.gsub", 0),
    ("packet = function(p)\nlocal f = function() return p.len end\nc:add(f()) end", "slow: line 3 makes a function for each packet", 0),
    ("packet = function(p) error('no') end", "wrong: recipe .*no .packet 1", 2),
])
def test_check(sluice, tmp_path, handler, said, status):
    recipe = tmp_path / "it's mine.lua"
    recipe.write_text('return { start = function() local n, c = 0, sum { "c" } return {\n%s } end }\n' % handler)
    done = sluice("check", recipe)
    assert re.search(said, done.stdout.decode()), done.stdout + done.stderr
    assert done.returncode == status
    assert (b"good" in done.stdout) == (status == 0)
