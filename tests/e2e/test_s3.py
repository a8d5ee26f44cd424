"""Presigned URLs of S3: signed for one verb, so that a HEAD is refused where a GET is allowed."""
import urllib.parse

import pytest

import s3
from test_http import make_capture

pytestmark = pytest.mark.skipif(s3.absent() is not None, reason=str(s3.absent()))


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="module")
def data():
    return make_capture()


@pytest.fixture(scope="module")
def storage(tmp_path_factory, data):
    with s3.S3(tmp_path_factory.mktemp("s3")) as running:
        running.upload("big.pcap", data)
        yield running


@pytest.mark.parametrize("version", [2, 4])
def test_flows_of_an_object(sluice, storage, data, tmp_path, version):
    url = storage.url("big.pcap") if version == 4 else storage.url_v2("big.pcap")
    parts = urllib.parse.urlsplit(url)
    if version == 2:
        assert storage.request("HEAD", parts.path, parts.query)[0] == 403
    path = tmp_path / "big.pcap"
    path.write_bytes(data)
    done = sluice("flows", url, "-T", "jsonl")
    assert (done.returncode, done.stdout, done.stderr) == (0, sluice("flows", path, "-T", "jsonl").stdout, b"")


def expect_refusal(done, url, *words):
    """One line with these words, without signature and key."""
    text = done.stderr.decode()
    assert done.returncode == 1 and text.count("\n") == 1, text
    for word in words:
        assert word in text, (word, text)
    values = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    for name in ("X-Amz-Signature", "X-Amz-Credential", "Signature"):
        for value in values.get(name, []):
            assert value[:10] not in text


def test_expired(sluice, storage):
    url = storage.url("big.pcap", age_s=7200)
    expect_refusal(sluice("flows", url, "-T", "jsonl"), url, "HTTP 403 AccessDenied: Request has expired",
                   "X-Amz-Expires=3600")


def test_another_signature(sluice, storage):
    """Of a refusal that holds the text that was to be signed, in letters and in bytes."""
    url = storage.url_v2("big.pcap").replace("big.pcap", "other.pcap")
    expect_refusal(sluice("flows", url, "-T", "jsonl"), url, "HTTP 403 SignatureDoesNotMatch: ", "Check your key")


def test_no_such_object(sluice, storage):
    url = storage.url("other.pcap")
    expect_refusal(sluice("flows", url, "-T", "jsonl"), url, "HTTP 404 NoSuchKey")
