"""The scenario that sluice is for: a packet capture in a storage container, read through a SAS."""
import json
import re
import time
import urllib.parse

import pytest

import azure
from support import pcap, tcp_frame
from test_http import make_capture

CONTAINER = "network-watcher-logs"
BLOB = ("subscriptions/0/resourcegroups/lab/providers/microsoft.compute/virtualmachines/web1/2024/01/31/"
        "packetcapture_10_20_30_400.cap")

pytestmark = pytest.mark.skipif(azure.absent() is not None, reason=str(azure.absent()))


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="module")
def data():
    return make_capture()


@pytest.fixture(scope="module")
def storage(tmp_path_factory, data):
    with azure.Azurite(tmp_path_factory.mktemp("azurite")) as running:
        running.create_container(CONTAINER)
        running.upload(CONTAINER, BLOB, data)
        running.upload(CONTAINER, "empty.cap", b"")
        yield running


@pytest.fixture
def read(sluice, storage):
    """read(sas, ...): flows of the blob under that SAS."""

    def call(sas, blob=BLOB, recipe="flows", options=("-T", "jsonl")):
        return sluice(recipe, storage.url(CONTAINER, blob, sas), *options)
    return call


@pytest.fixture
def from_file(sluice, data, tmp_path):
    path = tmp_path / BLOB.rpartition("/")[2]
    path.write_bytes(data)
    return lambda *args: sluice(args[0], path, *args[1:])


def expect_refusal(done, sas, *words):
    """One line with these words; no part of the signature in any form."""
    text = done.stderr.decode()
    assert done.returncode == 1, text
    assert text.count("\n") == 1, text
    for word in words:
        assert word in text, (word, text)
    signature = urllib.parse.parse_qs(sas)["sig"][0]
    for form in (signature, urllib.parse.quote(signature, safe=""), signature[:8]):
        assert form.lower() not in text.lower()
        assert form.encode() not in done.stdout
    assert "sig=" not in text


def test_flows_of_a_blob(read, from_file):
    done = read(azure.container_sas(CONTAINER))
    local = from_file("flows", "-T", "jsonl")
    assert (done.returncode, done.stdout, done.stderr) == (0, local.stdout, b"")
    assert done.stdout.count(b"\n") > 1000


def test_map_of_a_blob(read, from_file, tmp_path):
    remote, local = tmp_path / "remote.svg", tmp_path / "local.svg"
    assert read(azure.container_sas(CONTAINER), recipe="geomap", options=("-o", remote)).returncode == 0
    assert from_file("geomap", "-o", local).returncode == 0
    picture = remote.read_bytes()
    assert b"<svg" in picture and b"sig" not in picture
    # the title names the input
    assert picture.replace(b"?&lt;redacted&gt;", b"") == local.read_bytes()


def test_wrong_signature(read):
    sas = azure.container_sas(CONTAINER)
    wrong = re.sub("sig=.{12}", "sig=AAAAzzzz0000", sas)
    values = urllib.parse.parse_qs(sas)
    expect_refusal(read(wrong), wrong, "HTTP 403 AuthorizationFailure: Server failed to authenticate the request",
                   "st=" + values["st"][0], "se=" + values["se"][0], "sp=rl", "sip=127.0.0.1", BLOB + "?<redacted>")


def test_expired(read):
    sas = azure.container_sas(CONTAINER, start=azure.iso(time.time() - 7200), expiry=azure.iso(time.time() - 60))
    expect_refusal(read(sas), sas, "HTTP 403 ", "(expired)", "sp=rl")


def test_not_yet_valid(read):
    sas = azure.container_sas(CONTAINER, start=azure.iso(time.time() + 1800))
    expect_refusal(read(sas), sas, "HTTP 403 ", "(not yet valid)")


def test_no_permission_to_read(read):
    sas = azure.container_sas(CONTAINER, permissions="l")
    expect_refusal(read(sas), sas, "HTTP 403 ", "sp=l")


def test_no_such_blob(read):
    sas = azure.container_sas(CONTAINER)
    expect_refusal(read(sas, blob="packetcapture.cap"), sas, "HTTP 404 BlobNotFound: The specified blob does not exist",
                   "the capture may still be running")


def test_an_empty_blob(read, sluice, tmp_path):
    path = tmp_path / "empty.cap"
    path.write_bytes(b"")
    done = read(azure.container_sas(CONTAINER), blob="empty.cap")
    local = sluice("flows", path, "-T", "jsonl")
    assert (done.returncode, done.stdout) == (local.returncode, local.stdout)


# --- A continuous capture: many blobs, read as one.

FOLDER = "rotated/2024/01/31/"
SMALL_PAGE = "&maxresults=7"  # Azure's pages hold 5,000 names


@pytest.fixture(scope="module")
def rotated(storage):
    """30 blobs whose flows span several of them, with others around; returns the whole capture."""
    frames = [(1700000000 + n // 10, n % 10 * 100000,
               tcp_frame("10.0.%d.1" % (n % 7), "192.0.2.1", 1024 + n % 41, 443, 0x18, seq=n, payload=b"x" * 200))
              for n in range(6000)]
    for number in range(30):
        part = pcap(frames[number * 200:(number + 1) * 200])
        # names whose order is the other way round than the packets', with what URLs must encode
        storage.upload(CONTAINER, FOLDER + "packet capture+%02d%%.cap" % (99 - number), part)
    storage.upload(CONTAINER, FOLDER + "notes.txt", b"no capture")
    storage.upload(CONTAINER, FOLDER + "packet capture+00%.cap", b"")
    storage.upload(CONTAINER, FOLDER + "deeper/packet capture+00%.cap", b"no capture either")
    return pcap(frames)


@pytest.mark.parametrize("pages", ["", SMALL_PAGE])
def test_a_prefix_is_read_as_one_capture(sluice, storage, rotated, tmp_path, pages):
    path = tmp_path / "whole.pcap"
    path.write_bytes(rotated)
    local = sluice("flows", path, "-T", "jsonl")
    url = storage.url(CONTAINER, FOLDER, azure.container_sas(CONTAINER) + pages).replace("/?", "/packet*.cap?")
    done = sluice("flows", url, "-T", "jsonl")
    assert (done.returncode, done.stdout, done.stderr) == (0, local.stdout, b"")
    assert 0 < done.stdout.count(b"\n") < 600
    summary = json.loads(sluice("summary", url, "-T", "json").stdout)
    assert summary["packets"] == 6000 and len(summary["inputs"]) == 30
    assert all(name.endswith(".cap?<redacted>") for name in summary["inputs"])


def test_a_slash_at_the_end_means_all_below(sluice, storage, rotated):
    del rotated
    sas = azure.container_sas(CONTAINER) + SMALL_PAGE
    done = sluice("summary", storage.url(CONTAINER, FOLDER, sas), "-T", "json")
    expect_refusal(done, sas, "not a pcap or pcapng capture", "/" + FOLDER + "deeper/")


def test_a_url_file_of_several(sluice, storage, rotated, tmp_path):
    del rotated
    sas = azure.container_sas(CONTAINER)
    lines = [storage.url(CONTAINER, FOLDER + "packet capture+%02d%%.cap" % number, sas) for number in (98, 99)]
    text = "# two of them\n%s\n\n%s\n" % tuple(lines)
    (tmp_path / "urls").write_text(text)
    for options in ({"args": ["--url-file", tmp_path / "urls"]}, {"args": ["--url-file", "-"], "stdin": text.encode()}):
        done = sluice("count", "-T", "json", *options["args"], stdin=options.get("stdin"))
        assert (done.returncode, json.loads(done.stdout)["packets"]) == (0, 400)


def test_a_listing_that_is_not_permitted(sluice, storage, rotated):
    del rotated
    sas = azure.container_sas(CONTAINER, permissions="r")
    done = sluice("summary", storage.url(CONTAINER, FOLDER, sas), "-T", "json")
    expect_refusal(done, sas, "HTTP 403 ", "sp=r", "/%s?<redacted>" % CONTAINER)


@pytest.mark.parametrize("folder", ["nothing/here/", "rotated/2024/x*.cap"])
def test_a_prefix_without_blobs(sluice, storage, rotated, folder):
    del rotated
    sas = azure.container_sas(CONTAINER)
    done = sluice("summary", storage.url(CONTAINER, folder, sas).replace("%2A", "*"), "-T", "json")
    expect_refusal(done, sas, "no blob there")


def test_no_such_container(sluice, storage):
    sas = azure.container_sas("elsewhere")
    done = sluice("summary", storage.url("elsewhere", "x/", sas), "-T", "json")
    expect_refusal(done, sas, "HTTP 404 ContainerNotFound")
