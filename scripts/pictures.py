#!/usr/bin/python3
"""Makes the pictures of pages in examples/pictures/ from the example capture anew. For maintainers:
needs chromium, chromium-driver, python3-selenium and ImageMagick, all of `install-deps.sh test`."""
import base64
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from browser import Browser  # noqa: E402

CAPTURE = "examples/office-hour.pcap"
# Picture: what of the report it shows, from the first to the last of these cards.
SHOWN = {
    "report-overview": ["summary", "top_talkers"],
    "report-findings": ["scans", "beacons"],
    "report-flows": ["flows", "flows"],
    "report-protocols": ["services_by_their_amounts", "services_and_countries"],
    "report-statistics": ["sources_by_flows", "duration_of_flows"],
    "report-hours": ["hours", "hours"],
    "report-map": ["traffic_by_country", "traffic_by_country"],
    "report-addresses": ["addresses", "addresses"],
}
CLIP = """
const box = (name) => document.querySelector(`[data-view="${name}"]`).getBoundingClientRect();
const a = box(arguments[0]), b = box(arguments[1]);
return [a.top + scrollY - 8, b.bottom + scrollY + 8];"""


def shoot(browser, path, top, bottom):
    clip = {"x": 60, "y": top, "width": 1180, "height": bottom - top, "scale": 0.75}
    answer = browser.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    path.write_bytes(base64.b64decode(answer["data"]))
    subprocess.run(["convert", path, "-strip", "+dither", "-colors", "128", "PNG8:%s" % path], check=True)


def main():
    pictures = ROOT / "examples" / "pictures"
    with tempfile.TemporaryDirectory() as folder:
        report, compare = folder + "/report.html", folder + "/compare.html"
        subprocess.run(["./sluice", "report", "-q", CAPTURE, "-o", report], cwd=ROOT, check=True)
        shutil.copy(ROOT / CAPTURE, folder + "/before.pcap")
        subprocess.run(["tcpdump", "-r", "before.pcap", "-w", "after.pcap", "not net 129.67.44.0/24 and not port 80"],
                       cwd=folder, check=True, stderr=subprocess.DEVNULL)
        subprocess.run([ROOT / "sluice", "compare", "-q", "before.pcap", "after.pcap", "-o", compare], cwd=folder,
                       check=True)
        browser = Browser(folder)
        try:
            browser.emulate("light")
            browser.open(report)
            browser.run("document.querySelector('header.top').style.position = 'static'")
            for name, cards in SHOWN.items():
                shoot(browser, pictures / (name + ".png"), *browser.run(CLIP, *cards))
            browser.open(compare)
            browser.run("document.querySelector('header.top').style.position = 'static'")
            shoot(browser, pictures / "compare.png", *browser.run(CLIP, "compared", "countries_before_and_after"))
        finally:
            browser.close()


if __name__ == "__main__":
    main()
