"""The scenario that sluice is for: a packet capture in a storage container, read through a SAS."""
import re
import time
import urllib.parse

import pytest

import azure
from test_http import make_capture

CONTAINER = "network-watcher-logs"
BLOB = ("subscriptions/0/resourcegroups/lab/providers/microsoft.compute/virtualmachines/web1/2024/01/31/"
        "packetcapture_10_20_30_400.cap")

pytestmark = pytest.mark.skipif(azure.absent() is not None, reason=str(azure.absent()))


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
def read(sluice, storage, monkeypatch):
    """read(sas, ...): flows of the blob under that SAS."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")

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
