"""The user's defaults: $XDG_CONFIG_HOME/sluice/config."""
import json

import pytest


@pytest.fixture
def configured(sluice, tmp_path):
    (tmp_path / "sluice").mkdir()

    def call(text, *args):
        (tmp_path / "sluice" / "config").write_text(text)
        return sluice(*args, env={"XDG_CONFIG_HOME": str(tmp_path)})

    return call


def test_defaults(configured, sluice, example):
    never = json.loads(sluice("summary", "-T", "json", "--idle", "0", example).stdout)["flows"]
    usual = json.loads(sluice("summary", "-T", "json", example).stdout)["flows"]
    assert never != usual
    ask = lambda *args: json.loads(configured("# flows never idle\n\n  idle = 0 \n", "summary", "-T", "json", *args, example).stdout)["flows"]
    assert ask() == never
    assert ask("--idle", "0") == never
    assert ask("--no-config") == usual
    assert json.loads(configured("idle=0", "summary", "-T", "json", "--idle", "60", example).stdout)["flows"] not in (never, usual)


def test_a_page_tells_them(configured, example, tmp_path):
    assert configured("idle = 30", "summary", example, "-o", tmp_path / "page.html").returncode == 0
    assert "idle = 30" in (tmp_path / "page.html").read_text()


def test_options_of_recipes_and_switches(configured, example):
    lines = configured("top = 3\ndecap\n", "flows", "-q", example).stdout.decode().splitlines()
    assert lines[-1].startswith("… and ") and len(lines) == 3 + 3 + 1
    assert len(configured("top = 3", "flows", "-q", "--top", "5", example).stdout.decode().splitlines()) == 3 + 5 + 1


@pytest.mark.parametrize("text, words", [
    ("maxflows = 3", ["line 1", "unknown option maxflows", "did you mean max-flows"]), ("\nidle", ["line 2", "idle wants a value"]),
    ("decap = 1", ["decap takes no value"]), ("top = many", ["line 1: top", "many"]), ("= 3", ["line 1", "option = value"]),
    ("top 3", ["line 1", "option = value"])])
def test_mistakes(configured, example, text, words):
    done = configured(text, "summary", example)
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1
    for word in [*words, "sluice/config"]:
        assert word in done.stderr.decode()


def test_no_file_is_no_mistake(sluice, example, tmp_path):
    for home in ({"XDG_CONFIG_HOME": str(tmp_path)}, {"XDG_CONFIG_HOME": "", "HOME": str(tmp_path)}, {"XDG_CONFIG_HOME": "relative", "HOME": ""}):
        done = sluice("count", example, env=home)
        assert (done.returncode, done.stderr) == (0, b"")
