"""The report in a real browser: what is sorted, searched, paged, filtered, saved, clicked; by keyboard alone; that it
asks no network for anything; and that its numbers are those of the program."""
import csv
import json
import os
import struct
import time

import pytest
from browser import browser  # noqa: F401 - a fixture
from support import PROGRAM, SANITISED, pcap, udp_frame

pytestmark = pytest.mark.skipif(SANITISED, reason="the page is the same")

FLOWS = '[data-view="flows"]'
MAP = '[data-view="traffic_by_country"]'


@pytest.fixture(scope="module")
def report(sluice, example, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    done = sluice("report", "-q", example, "-o", path)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def page(browser, report):
    browser.open(report)
    yield browser
    assert browser.console() == []
    assert browser.requests() == []


def flows_of(sluice, *args):
    return [json.loads(line) for line in sluice("flows", "-q", "-T", "jsonl", *args).stdout.splitlines()]


def shown(page, column, view=FLOWS):
    """The texts of a column of a table, by the name in its head."""
    return page.run("""
        const table = document.querySelector(arguments[0] + " table.data");
        const at = [...table.tHead.rows[0].cells].findIndex((c) => c.textContent.trim() === arguments[1]);
        return [...table.tBodies[0].rows].map((row) => row.cells[at].textContent);""", view, column)


def count(page, view=FLOWS):
    return page.one(view + " .count").text


def column_filter(page, column, text, view=FLOWS):
    field = page.one(f'{view} .columnfilters input[data-column="{column}"]')
    page.run("arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))", field, text)


# --- tables ---

def test_flows_are_the_largest_and_all_of_them(page, sluice, example):
    largest = sorted(flows_of(sluice, example), key=lambda f: -f["bytes_src"] - f["bytes_dst"])
    assert count(page) == "%d of %d" % (len(largest), len(largest))
    assert shown(page, "Source")[:5] == [f["src"] for f in largest[:5]]
    assert len(shown(page, "Source")) == 25


def test_every_flow_in_the_page_is_the_programs(page, sluice, example):
    data = page.run("return JSON.parse(document.getElementById('data').textContent)")
    view = next(v for v in data["views"] if v["name"] == "flows")
    names = [c["name"] for c in view["columns"]]
    same = ["first", "duration", "proto", "src", "sport", "dst", "dport", "packets_src", "packets_dst", "bytes_src",
            "bytes_dst", "payload_src", "payload_dst", "state", "history", "src_country", "dst_country", "end"]
    in_page = sorted(tuple(row[names.index(name)] for name in same) for row in view["rows"])
    wanted = sorted(tuple(f[name] for name in same) for f in flows_of(sluice, example))
    assert in_page == wanted


@pytest.mark.parametrize("recipe", ["timeline", "geomap", "hours", "addresses", "sizes", "protocols", "countries"])
def test_numbers_of_the_page_are_those_of_json(page, sluice, example, recipe):
    data = page.run("return JSON.parse(document.getElementById('data').textContent)")
    views = {v["name"]: v for v in data["views"]}
    found = json.loads(sluice(recipe, "-q", "-T", "json", example).stdout)
    if isinstance(found, list):
        found = {{"timeline": "traffic_over_time", "geomap": "traffic_by_country"}[recipe]: found}
    for name, rows in found.items():
        columns = [c["name"] for c in views[name]["columns"]]
        in_page = [dict(zip(columns, row)) for row in views[name]["rows"]]
        assert in_page == rows[:len(in_page)], name
        assert views[name]["total"] >= len(rows), name
        assert in_page or not rows, name


def sort_by(page, column):
    """Clicks a heading, and waits for what comes of it: the table sorts a moment later."""
    heading = FLOWS + ' thead th[data-dt-column="%d"]' % column
    order = lambda: page.one(heading).get_attribute("aria-sort")
    before, end = order(), time.monotonic() + 10
    page.click(page.one(heading))
    while order() == before and time.monotonic() < end:
        time.sleep(0.02)
    return order()


def test_sort(page):
    orders = [sort_by(page, 1), sort_by(page, 1)]
    assert orders == ["descending", "ascending"]
    assert shown(page, "Duration")[0] == "0 s"
    assert sort_by(page, 4) == "ascending"
    destinations = shown(page, "Destination")
    assert destinations == sorted(destinations)


def test_search_and_page(page):
    page.click(page.one(FLOWS + " .dt-paging-button.next"))
    second = shown(page, "Start")
    page.type(page.one(FLOWS + " input.search"), "129.67.44.77")
    assert "129.67.44.77" in shown(page, "Destination") and len(shown(page, "Start")) == 1
    assert count(page).startswith("1 of ")
    assert second != shown(page, "Start")
    page.type(page.one(FLOWS + " input.search"), "nothing like it")
    assert shown(page, "Start")[0] == "Nothing matches"


@pytest.mark.parametrize("column, text, test", [
    ("dport", "443", lambda f: f["dport"] == 443),
    ("dport", "!443", lambda f: f["dport"] != 443),
    ("dport", "20..25, 80", lambda f: 20 <= f["dport"] <= 25 or f["dport"] == 80),
    ("bytes_src", ">100k", lambda f: f["bytes_src"] > 1e5),
    ("bytes_src", ">=1k & <2k", lambda f: 1000 <= f["bytes_src"] < 2000),
    ("proto", "=udp", lambda f: f["proto"] == "udp"),
    ("dst", "141.30.0.0/16", lambda f: f["dst"].startswith("141.30.")),
    ("dst", "!192.168.0.0/16 & !fd00::/8", lambda f: not f["dst"].startswith(("192.168.", "fd"))),
    ("src", "fd00::/8", lambda f: f["src"].startswith("fd")),
    ("dst_country", "germany", lambda f: f["dst_country"] == "DE"),
    ("service", "http", lambda f: "http" in (f["service"] or "")),
])
def test_column_filters(page, sluice, example, column, text, test):
    flows = flows_of(sluice, example)
    column_filter(page, column, text)
    wanted = sum(map(test, flows))
    assert 0 < wanted < len(flows)
    assert count(page) == "%d of %d rows match" % (wanted, len(flows))


def saved(page, name):
    path, deadline = os.path.join(page.downloads, name), time.monotonic() + 20
    while not os.path.exists(path) and time.monotonic() < deadline:
        time.sleep(0.05)
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    os.remove(path)
    return text


def test_csv_of_what_is_shown(page, sluice, example):
    column_filter(page, "dport", "443")
    page.click(page.one(FLOWS + " button.csv"))
    head, rest = saved(page, "flows.csv").split("\n", 1)
    flows = flows_of(sluice, example)
    wanted = [f for f in flows if f["dport"] == 443]
    assert head == "# Largest flows: %d of %d" % (len(wanted), len(flows))
    rows = list(csv.DictReader(rest.splitlines()))
    assert len(rows) == len(wanted)
    assert sorted(int(row["bytes_src"]) for row in rows) == sorted(f["bytes_src"] for f in wanted)
    assert {row["first"] for row in rows} == {f["first"] for f in wanted}


def test_a_row_opens_and_all_columns_come(page):
    row = page.one(FLOWS + " tbody tr")
    page.run("arguments[0].focus()", row)
    from selenium.webdriver.common.keys import Keys
    page.press(Keys.ENTER)
    detail = page.one(FLOWS + " .detail").text
    assert "Retransmitted" in detail and "tcpdump -r CAPTURE -w flow.pcap" in detail
    before = len(page.all(FLOWS + " thead th"))
    page.click(page.one(FLOWS + " .tools button[aria-pressed]"))
    assert len(page.all(FLOWS + " thead th")) > before
    assert len(page.all(FLOWS + " .columnfilters td")) == len(page.all(FLOWS + " thead th"))


# --- charts and the map ---

def test_map_click_metric_and_zoom(page):
    part = page.one(MAP + ' [data-part="CA"] polygon')
    page.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", part)
    fill = "return getComputedStyle(document.querySelector(arguments[0])).fill"
    by_bytes = page.run(fill, MAP + ' [data-part="CN"] polygon')
    page.run("arguments[0].parentNode.dispatchEvent(new MouseEvent('click', { bubbles: true }))", part)
    pane = page.one(MAP + " .pane").text
    assert pane.startswith("Canada") and "Sent" in pane and "Services" in pane and "142.103.59.88" in pane
    first = page.one(MAP + " .ranking li:nth-child(2)").text
    page.click(page.all(MAP + " .choice button")[1])
    assert page.all(MAP + " .choice button")[1].get_attribute("aria-checked") == "true"
    assert page.one(MAP + " .ranking li:nth-child(2)").text != first
    assert page.run(fill, MAP + ' [data-part="CN"] polygon') != by_bytes
    whole = page.one(MAP + " svg.chart").get_dom_attribute("viewBox")
    page.click(page.one(MAP + ' [aria-label="Zoom in"]'))
    assert page.one(MAP + " svg.chart").get_dom_attribute("viewBox") != whole
    page.click(page.one(MAP + ' [aria-label="Whole map"]'))
    assert page.one(MAP + " svg.chart").get_dom_attribute("viewBox") == whole


def test_country_narrows_the_flows_and_gives_them_back(page, sluice, example):
    page.click(page.one(MAP + ' .ranking [data-country="PL"]'))
    page.click(page.one(MAP + " .pane button.primary"))
    flows = flows_of(sluice, example)
    wanted = sum("PL" in (f["src_country"], f["dst_country"]) for f in flows)
    assert count(page) == "%d of %d rows match" % (wanted, len(flows))
    chip = page.one("#filters .chip")
    assert "Poland" in chip.text
    chip.click()
    assert count(page) == "%d of %d" % (len(flows), len(flows))


def test_clicks_on_charts_narrow_the_flows(page, sluice, example):
    flows = flows_of(sluice, example)
    hit = page.one('[data-view="protocols_by_flows"] rect.hit[aria-label^="icmp:"]')
    page.run("arguments[0].dispatchEvent(new MouseEvent('click', { bubbles: true }))", hit)
    assert count(page).startswith("%d of" % sum(f["proto"] == "icmp" for f in flows))
    hit = page.one('[data-view="services_by_bytes"] rect.hit[aria-label^="https/udp:"]')
    page.run("pickedBefore = 1; arguments[0].dispatchEvent(new MouseEvent('click', { bubbles: true }))", hit)
    assert len(page.all("#filters .chip")) == 2 and count(page).startswith("0 of")
    page.click(page.one("#filters .chip"))
    assert count(page).startswith("%d of" % sum((f["proto"], f["service"]) == ("udp", "https") for f in flows))


def test_hour_opens_and_narrows(page, sluice, example):
    hours = '[data-view="hours"]'
    cell = page.one(hours + " rect.hit.act")
    page.run("arguments[0].dispatchEvent(new MouseEvent('click', { bubbles: true }))", cell)
    assert "09:00 UTC, bytes per five minutes" in page.one(hours + " .pane").text
    page.click(page.all(hours + " .choice button")[1])
    assert "flows per five minutes" in page.one(hours + " .pane").text
    page.click(page.one(hours + " .pane button.primary"))
    start = 1772442000
    wanted = sum(start <= float(f["first"]) < start + 3600 for f in flows_of(sluice, example))
    assert count(page).split(" ")[0] == str(wanted)


def test_legend_hides_a_series(page):
    chart = '[data-view="traffic_over_time"]'
    visible = "return getComputedStyle(document.querySelector(arguments[0])).display"
    assert page.run(visible, chart + ' [data-part="s1"]') != "none"
    entry = page.one(chart + ' rect.hit[aria-label="sent"]')
    page.run("arguments[0].dispatchEvent(new MouseEvent('click', { bubbles: true }))", entry)
    assert page.run(visible, chart + ' [data-part="s1"]') == "none"
    assert entry.get_attribute("aria-pressed") == "true"


def test_scatter_takes_other_axes(page):
    chart = '[data-view="services_by_their_amounts"]'
    page.run("const s = document.querySelector(arguments[0] + ' select'); s.value = '4';"
             "s.dispatchEvent(new Event('change'))", chart)
    assert "Received" in page.run("return document.querySelector(arguments[0] + ' svg').textContent", chart)
    assert len(page.all(chart + " circle")) == 20


def test_keyboard_alone(page):
    from selenium.webdriver.common.keys import Keys
    page.press(Keys.TAB)
    assert page.run("return document.activeElement.className") == "skip"
    page.run("document.querySelector(arguments[0]).focus()", MAP + " .choice button")
    page.press(Keys.ARROW_RIGHT, Keys.ENTER)
    assert page.all(MAP + " .choice button")[1].get_attribute("aria-checked") == "true"
    for _ in range(3):  # the list of a card's tools, then the first country
        page.press(Keys.TAB)
        if page.run("return document.activeElement.getAttribute('aria-label') || ''").startswith("United Kingdom"):
            break
    assert page.run("return document.activeElement.getAttribute('aria-label')").startswith("United Kingdom")
    assert not page.one("#tip").get_attribute("hidden")
    page.press(Keys.ARROW_RIGHT, Keys.ENTER)
    assert page.one(MAP + " .pane h4").text == "Canada"
    box = page.one(MAP + " svg.chart").get_dom_attribute("viewBox")
    page.press("+")
    zoomed = page.one(MAP + " svg.chart").get_dom_attribute("viewBox")
    assert zoomed != box
    page.press("0")
    assert page.one(MAP + " svg.chart").get_dom_attribute("viewBox") == box


def test_chart_told_by_arrow_keys(page):
    from selenium.webdriver.common.keys import Keys
    page.run("document.querySelector(arguments[0]).focus()", '[data-view="size_of_packets_in_bytes"] .hit')
    page.press(Keys.ARROW_RIGHT)
    assert page.one("#tip").text.startswith("64 to 128")


def test_dark_and_light(page):
    ground = "return getComputedStyle(document.body).backgroundColor"
    page.emulate("light")
    light = page.run(ground)
    page.emulate("dark")
    assert page.run(ground) != light
    page.click(page.one("#theme"))
    assert page.run(ground) == light
    page.emulate("light")


def test_any_recipe_is_a_page(browser, sluice, example, tmp_path):
    for recipe in ["hours", "sizes", "summary,timeline", "talkers", "examples/port-bytes.lua", "count"]:
        path = tmp_path / "page.html"
        done = sluice(recipe, "-q", example, "-o", path)
        assert done.returncode == 0, done.stderr
        browser.open(path)
        assert browser.console() == [] and browser.requests() == []
        assert browser.all("[data-view]")


# --- what hostile captures do ---

def test_column_names_of_a_recipe_are_text(browser, sluice, example, tmp_path):
    """Whatever text ends in views, from a capture or elsewhere, stands in the page as text."""
    bad = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "`touch PWNED`", "$(touch PWNED)",
           '"quoted\' text', "=cmd|' /C calc'!A0", "T_END", "\\27[31mred", "evil\\226\\128\\174gpj.exe", "&lt;b&gt;"]
    lua = "return { start = function() return { finish = function(out)\n" \
          "local bad = { %s }\n" \
          "local rows, bars, xy, heat = {}, {}, {}, {}\n" \
          "for i, s in ipairs(bad) do rows[i] = { s, s, i } bars[i] = { s, i, i } xy[i] = { s, i, i } " \
          "heat[i] = { s, s, i } end\n" \
          "for i, s in ipairs(bad) do out:table { title = s, rows = rows, columns = { { name = s, role = 'address' }, " \
          "'x', { name = 'n', unit = 'bytes' } }, notes = { s } } end\n" \
          "out:bars { title = bad[1], rows = bars, columns = { bad[2], { name = bad[3], unit = 'bytes' }, bad[4] } }\n" \
          "out:scatter { title = bad[2], rows = xy, x = 'a', y = 'b', columns = { bad[1], 'a', 'b' } }\n" \
          "out:heatmap { title = bad[3], rows = heat, x = bad, y = bad, columns = { 'y', 'x', bad[1] } }\n" \
          "out:record { title = bad[4], fields = { { bad[1], bad[2] }, { bad[3], out:object { { bad[1], bad[2] } } } } }\n" \
          "out:text { title = bad[5], lines = bad }\n" \
          "end } end }\n" % ", ".join('"%s"' % s.replace('"', '\\"') for s in bad)
    recipe = tmp_path / "bad.lua"
    recipe.write_text(lua)
    page = tmp_path / "bad.html"
    done = sluice(recipe, "-q", example, "-o", page, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "PWNED").exists()
    browser.open(page)
    assert browser.console() == [] and browser.requests() == []
    assert browser.run("return document.scripts.length") == 3
    assert browser.run("return document.querySelectorAll('img, b:not(li > b)').length") == 0
    for table in browser.all(".card.table input.search")[:1]:
        browser.type(table, "onerror")
    text = browser.run("return document.body.textContent")
    for expected in ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "`touch PWNED`",
                     "=cmd|' /C calc'!A0", "\\x1b[31mred", "evil\\u{202e}gpj.exe", "&lt;b&gt;"]:
        assert expected in text, expected
    assert not set(text) & set("\x1b\u202e")
    browser.run("document.querySelector('.card.table .csv').click()")
    saved_name = os.listdir(browser.downloads)
    deadline = time.monotonic() + 20
    while not saved_name or any(name.endswith(".crdownload") for name in saved_name):
        assert time.monotonic() < deadline
        time.sleep(0.05)
        saved_name = os.listdir(browser.downloads)
    rows = list(csv.reader(saved(browser, saved_name[0]).splitlines()))
    assert "'=cmd|' /C calc'!A0" in [row[0] for row in rows]


def test_opens_fast_enough(page):
    timing = page.run("return performance.getEntriesByType('navigation')[0].domComplete")
    assert timing < 30000  # a bound for broken, not for slow machines


def test_empty_and_odd_captures_have_no_broken_page(browser, sluice, tmp_path):
    """No packet, one packet, no IP at all, one millisecond, times far apart."""
    frame = udp_frame("192.0.2.1", "198.51.100.7", 1000, 53, b"x")
    captures = {
        "none": pcap([]), "one": pcap([(1, 0, frame)]),
        "no-ip": pcap([(1, 0, b"\xff" * 12 + struct.pack(">H", 0x88cc) + b"\0" * 40)]),
        "millisecond": pcap([(1, 10, frame), (1, 1009, frame)]),
        "far": pcap([(0, 0, frame), (1700000000, 0, frame), (4000000000, 0, frame)]),
    }
    for name, data in captures.items():
        capture, page = tmp_path / (name + ".pcap"), tmp_path / (name + ".html")
        capture.write_bytes(data)
        done = sluice("report", "-q", capture, "-o", page)
        assert done.returncode == 0, done.stderr
        browser.open(page)
        assert browser.console() == [] and browser.requests() == []
        text = browser.run("return document.body.innerText")
        assert "NaN" not in text and "undefined" not in text and "Infinity" not in text, name
        assert ("Show its flows" in text) == (name not in ("none", "no-ip")), name
        wrong = browser.run("return [...document.querySelectorAll('svg *')].filter((e) => [...e.attributes].some((a) => "
                            "/NaN|Infinity|undefined/.test(a.value))).length")
        assert wrong == 0, name


# --- the file ---

def test_the_same_command_gives_the_same_bytes(sluice, example, tmp_path):
    pages = []
    for zone in ["UTC", "Asia/Tokyo"]:
        done = sluice("report", "-q", os.path.abspath(example), "-o", "page.html", cwd=tmp_path, env={"TZ": zone})
        assert done.returncode == 0, done.stderr
        pages.append((tmp_path / "page.html").read_bytes())
    assert pages[0] == pages[1]
    assert len(pages[0]) < 3_000_000


def test_page_forbids_requests_and_foreign_scripts(report):
    text = report.read_text(encoding="utf-8")
    assert "default-src 'none'; script-src 'sha256-" in " ".join(text.split())
    assert "http://" not in text.split("<body>")[0]
    assert text.count("<script") == 3 + text.split("<script>")[1].count("<script")


def test_provenance_redacts_secrets(sluice, tmp_path):
    text = sluice("eval", "p.len > 0", "-q", "-", "-o", tmp_path / "x.html", stdin=pcap([(1, 0, b"\0" * 20)]))
    assert text.returncode == 0, text.stderr
    page = (tmp_path / "x.html").read_text()
    assert "p.len &gt; 0" in page and "Provenance" in page


def test_no_page_without_gnuplot(sluice, example, tmp_path):
    done = sluice("report", "-q", example, "-o", tmp_path / "x.html", env={"PATH": str(tmp_path)})
    assert done.returncode == 2 and b"gnuplot is not installed" in done.stderr
    assert not (tmp_path / "x.html").exists()
    assert os.access(PROGRAM, os.X_OK)
