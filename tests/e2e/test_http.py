"""Captures behind HTTP: the same result as from a file, by bounded ranges only; every fault is one line."""
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from httpd import MODES, Server
from nginx import serving
from support import PROGRAM, SLOWNESS, pcap, peak_kib, tcp_frame

FIRST, LATER = 1 << 20, 2 << 20
# Tries for tests: what cannot heal has ended within a second.
RETRY = "tries=4 first_ms=20 most_ms=100 total_s=20 stall_s=1"
SIGNATURE = "S3cr3t%2Bsignature%2Fof%20many%3D%3D"
SAS = "?sv=2021-08-06&st=2020-01-01T00%3A00%3A00Z&se=2020-02-01T00%3A00%3A00Z&sp=r&sip=10.0.0.1&sig=" + SIGNATURE
SECRETS = [b"S3cr3t", b"signature%2Fof", b"signature/of", b"an0ther", b"hunter22"]


def make_capture():
    """14 MiB, enough for several requests in flight."""
    payload = bytes(range(256)) * 5
    return pcap([(1700000000 + n // 100, n % 100 * 10000,
                  tcp_frame("10.0.%d.1" % (n % 97), "192.0.2.%d" % (n % 13 + 1), 1024 + n % 89, 443, 0x18,
                            seq=n, payload=payload)) for n in range(10800)])


@pytest.fixture(scope="module")
def data():
    return make_capture()


@pytest.fixture(scope="module")
def server(data):
    with Server({"big.pcap": data, "a/../%7e/big.pcap": data, "empty": b""}) as running:
        yield running


@pytest.fixture(scope="module")
def from_file(sluice, data, tmp_path_factory):
    """What flows of the same bytes in a file are."""
    path = tmp_path_factory.mktemp("http") / "big.pcap"
    path.write_bytes(data)
    done = sluice("flows", path, "-T", "jsonl")
    assert done.returncode == 0 and done.stdout.count(b"\n") > 1000
    return done.stdout


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setenv("SLUICE_HTTP_RETRY", RETRY)


@pytest.fixture
def get(sluice, server):
    """get(mode, query, ...): flows of the capture in that mode, and the server's log of it."""

    def call(mode, query="", file="big.pcap", recipe="flows", form="jsonl", url=None, options=()):
        server.log.clear()
        server.turns.clear()
        done = sluice(recipe, url or server.url(mode, file, query), "-T", form, *options)
        time.sleep(0.01)  # an entry is written after its last byte is sent
        return done, list(server.log)
    return call


def no_secret(done):
    for secret in SECRETS:
        assert secret.lower() not in (done.stdout + done.stderr).lower()


def expect_error(done, *words):
    """Exit status 1, one line that says all the words, no secret."""
    text = done.stderr.decode()
    assert done.returncode == 1, text
    assert text.count("\n") == 1 and text.endswith("\n"), text
    for word in words:
        assert word in text, (word, text)
    no_secret(done)


def cover(log, size):
    """The ranges of the log, by offset: together they are the blob once. Each is a good answer to a bounded
    request, under If-Match but for the first, which is alone and small."""
    assert log[0].range == "bytes=0-%d" % (min(FIRST, size) - 1)
    at = 0
    for entry in sorted(log, key=lambda entry: int(entry.range[6:].split("-")[0])):
        first, last = (int(n) for n in entry.range[6:].split("-"))
        assert first == at and last - first < LATER
        assert entry.if_match == (None if first == 0 else '"v1"')
        assert (entry.method, entry.status, entry.sent, entry.encoding) == ("GET", 206, last - first + 1, None)
        assert entry.agent.startswith("sluice")
        at = last + 1
    assert at == size


def test_a_report_names_the_version(sluice, server, tmp_path):
    """The capture card holds what tells a blob from a later one: its size, and the server's ETag."""
    page = tmp_path / "report.html"
    for mode, tags in (("good", ['"v1"']), ("no-etag", None)):
        done = sluice("report", server.url(mode, "big.pcap", "?sig=S3cr3t"), "-o", page)
        assert done.returncode == 0, done.stderr
        text = page.read_text()
        assert "S3cr3t" not in text and "(%d bytes)" % len(server.files["big.pcap"]) in text
        assert ("ETag &quot;v1&quot;" in text) == ("Etags" in text) == bool(tags)
        card = json.loads(sluice("report", server.url(mode, "big.pcap"), "-T", "json").stdout)["summary"]
        assert card.get("etags") == tags
        assert card.get("input_sizes") == (tags and [len(server.files["big.pcap"])])
    assert "etags" not in json.loads(sluice("summary", server.url("good", "big.pcap"), "-T", "json").stdout)


def test_ranges_are_bounded_and_conditional(get, from_file, data):
    done, log = get("good", SAS)
    assert (done.returncode, done.stdout, done.stderr) == (0, from_file, b"")
    cover(log, len(data))
    assert len(log) <= 16


def test_one_request_at_a_time(get, from_file, data):
    done, log = get("good", SAS, options=["--in-flight", 1])
    assert (done.returncode, done.stdout, done.stderr) == (0, from_file, b"")
    cover(log, len(data))
    assert [entry.range for entry in log] == sorted((entry.range for entry in log), key=lambda r: int(r[6:].split("-")[0]))


@pytest.mark.parametrize("number", ["0", "65", "x"])
def test_a_number_of_requests_that_cannot_be(get, number):
    done, log = get("good", options=["--in-flight", number])
    assert done.returncode == 2 and b"--in-flight" in done.stderr and not log


def test_early_stop_fetches_no_more(get, server):
    done, log = get("good", recipe="count", form="json", options=["-c", "700"])
    assert json.loads(done.stdout)["packets"] == 700
    assert sum(entry.sent for entry in log) <= 2 * FIRST
    time.sleep(0.2)
    assert server.log == log


def test_the_url_is_sent_as_it_stands(get):
    query = "?sig=a%2Bb+c%3d~%7E&x=/../%2e%2E&empty=&&"
    done, log = get("good", query, file="a/../%7e/big.pcap")
    assert done.returncode == 0
    assert {entry.path for entry in log} == {"/good/a/../%7e/big.pcap" + query}


def test_a_shared_capture(sluice, capture, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    path = capture("tls-web-334-flows-ipv4-ipv6.pcap")
    with open(path, "rb") as file, Server({"tls.pcap": file.read()}) as server:
        remote = sluice("flows", server.url("good", "tls.pcap"), "-T", "jsonl")
    assert remote.returncode == 0
    assert remote.stdout == sluice("flows", path, "-T", "jsonl").stdout


UNUSUAL = ["no-range", "chunked", "chunked-part", "weak-etag", "no-etag", "redirect", "redirect-to-other-host"]
HEALING = [mode for mode in MODES if mode.startswith("once-")] + [
    "no-range-once-drop", "appended", "appended-silently", "no-etag-appended"]


@pytest.mark.parametrize("mode", UNUSUAL + HEALING)
def test_what_is_right_in_the_end_is_as_from_a_file(get, server, from_file, data, mode):
    with Server({"big.pcap": data}) as other:
        server.other = other
        start = time.monotonic()
        done, log = get(mode, SAS)
    assert (done.returncode, done.stdout, done.stderr) == (0, from_file, b"")
    if mode in ("no-range", "chunked"):
        assert [entry.status for entry in log] == [200]
    if mode in ("weak-etag", "no-etag"):
        assert {entry.if_match for entry in log} == {None}
    if mode.startswith("once-503-"):
        assert time.monotonic() - start >= 1


def test_a_repeated_request_goes_on_at_the_exact_byte(get, from_file, data):
    done, log = get("once-drop", options=["-v"])
    assert done.stdout == from_file
    assert sum(entry.sent for entry in log) == len(data)
    retries = len(log) - len({int(entry.range.split("-")[1]) for entry in log})
    assert retries >= 3 and b"%d of them again" % retries in done.stderr


def test_credentials_stay_at_their_host(get, server, data, tmp_path):
    """User, password and query are for the host of the URL; also those of a netrc."""
    with Server({"big.pcap": data}) as other:
        server.other = other
        url = server.url("redirect-to-other-host", "big.pcap", SAS).replace("//", "//bob:hunter22@")
        done, log = get(None, url=url)
        assert done.returncode == 0 and log and other.log
        assert all(entry.auth and "S3cr3t" in entry.path for entry in log)
        assert all(entry.auth is None and entry.path == "/good/big.pcap" for entry in other.log)


def test_a_netrc_is_heeded(get, server, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login bob password hunter22\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    done, log = get("good")
    assert done.returncode == 0
    assert {entry.auth for entry in log} == {"Basic Ym9iOmh1bnRlcjIy"}


# At which byte it stops, and what is said. In these modes the first range is good.
LATER_FAULTS = {
    "wrong-content-range": (FIRST, "starts at another byte"),
    "short-length": (FIRST, "another length than its Content-Range"),
    "drop-at-2-MB": (2000000, "the transfer ended at byte"),
    "reset": (FIRST, "the transfer ended at byte"),
    "stall": (FIRST, "Operation too slow"),
    "busy-later": (FIRST, "HTTP 503 ServerBusy: Ingress is over the account limit.; the server is busy; tried 4 times"),
    "cut": (FIRST, "was replaced while it was read"),
    "whole-later": (FIRST, "is the whole blob, not the range"),
    "replaced": (FIRST, "was replaced while it was read (HTTP 412)"),
    "replaced-silently": (FIRST, "was replaced while it was read (HTTP 206)"),
    "weak-etag-replaced": (FIRST, "was replaced while it was read"),
    "no-etag-replaced": (FIRST, "was replaced while it was read"),
    "forbidden-later": (FIRST, "AuthenticationFailed"),
}


@pytest.mark.parametrize("mode", LATER_FAULTS)
def test_what_was_read_before_a_fault_is_reported(get, mode, data, from_file):
    byte, words = LATER_FAULTS[mode]
    done, _ = get(mode, SAS, recipe="summary", form="json")
    expect_error(done, words, "byte %d" % byte, "127.0.0.1", "/%s/big.pcap?<redacted>" % mode)
    assert json.loads(done.stdout)["packets"] == (byte - 24) // (16 + 54 + 1280)


FIRST_FAULTS = {
    "no-content-range": "has no usable Content-Range",
    "chunked-part-too-long": "longer body than its Content-Range",
    "chunked-part-too-short": "the body holds 0 bytes of 1",
    "gzip": "is compressed (Content-Encoding)",
    "missing": "HTTP 404 BlobNotFound: The specified blob does not exist.; check the URL; the capture may still",
    "archived": "HTTP 409 BlobArchived: This operation is not permitted on an archived blob.; the blob is in the "
                "archive tier: rehydrate it first",
    "busy": "HTTP 503 ServerBusy: Ingress is over the account limit.; the server is busy; tried 4 times in 0 s; try",
    "busy-for-an-hour": "HTTP 503 ServerBusy",
    "forbidden-plain": "HTTP 403 AccessDenied: Request has expired",
    "missing-bom": "HTTP 404 ContainerNotFound: The specified container does not exist.",
    "redirect-to-file": "Protocol \"file\" not supported",
    "redirect-for-ever": "Maximum (5) redirects followed",
    "no-range-drop": "the transfer ended at byte",
}


@pytest.mark.parametrize("mode", FIRST_FAULTS)
def test_a_fault_is_one_line(get, mode):
    done, log = get(mode, SAS)
    expect_error(done, FIRST_FAULTS[mode], "?<redacted>")
    assert "HEAD" not in {entry.method for entry in log}
    if mode == "redirect-for-ever":
        assert len(log) == 6


@pytest.mark.parametrize("mode", ["forbidden", "forbidden-later", "forbidden-endless", "redirect-to-forbidden"])
def test_a_refusal_tells_times_and_permissions_but_no_secret(get, mode):
    done, _ = get(mode, SAS)
    expect_error(done, "HTTP 403 AuthenticationFailed", "st=2020-01-01T00:00:00Z",
                 "se=2020-02-01T00:00:00Z (expired)", "sp=r", "sip=10.0.0.1")
    if mode != "forbidden-endless":
        expect_error(done, "Server failed to authenticate *** and ***.", "Signature did not match.")


def test_an_empty_blob_is_like_an_empty_file(get, sluice, tmp_path):
    path = tmp_path / "empty"
    path.write_bytes(b"")
    local = sluice("flows", path, "-T", "jsonl")
    done, log = get("empty", file="empty")
    assert (done.returncode, done.stdout) == (local.returncode, local.stdout)
    assert len(log) == 1


def test_an_unreachable_server(get):
    done, _ = get(None, url="http://user:hunter22@127.0.0.1:1/x.pcap" + SAS)
    expect_error(done, "http://<redacted>@127.0.0.1:1/x.pcap?<redacted>", "connect")


def test_a_url_that_is_none(sluice):
    done = sluice("flows", "http://host/a b.pcap?sig=S3cr3t", "-T", "jsonl")
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1
    no_secret(done)


def test_ctrl_c_while_the_server_says_nothing(server):
    """What was read so far is reported; nobody waits for the server."""
    server.turns.clear()
    with subprocess.Popen([PROGRAM, "summary", server.url("stall", "big.pcap"), "-T", "json"],
                          env={**os.environ, "SLUICE_HTTP_RETRY": "stall_s=60"}, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30 * SLOWNESS
        while not any(entry.path == "/stall/big.pcap" and entry.status == 0 for entry in server.log):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.2 * SLOWNESS)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        out, _ = process.communicate(timeout=60 * SLOWNESS)
    assert process.returncode == 130
    assert time.monotonic() - start < 2 * SLOWNESS
    assert json.loads(out)["packets"] == (FIRST - 24) // (16 + 54 + 1280)


# --- nginx, as it would serve captures.

@pytest.fixture
def nginx(tmp_path, monkeypatch):
    """(URL prefix, folder that it serves, log()) of an nginx of this test."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(tmp_path) as running:
        yield running


def only_bounded_ranges(log, size):
    """Every line of nginx's log is a good answer to a range under If-Match; together they are the file once."""
    at = 0
    for method, status, asked, condition, sent in sorted(log, key=lambda line: int(line[2][6:].split("-")[0])):
        first, last = (int(n) for n in asked[len("bytes="):].split("-"))
        assert (method, status, first) == ("GET", "206", at)
        assert last - first < (LATER if at else FIRST)
        assert condition == "-" if at == 0 else len(condition) > 2
        assert int(sent) == last - first + 1
        at = last + 1
    assert at == size


def test_nginx(nginx, sluice, data, from_file):
    url, folder, log = nginx
    (folder / "big.pcap").write_bytes(data)
    (folder / "big.pcap").chmod(0o644)
    done = sluice("flows", url + "big.pcap", "-T", "jsonl")
    assert (done.returncode, done.stdout, done.stderr) == (0, from_file, b"")
    only_bounded_ranges(log(), len(data))


@pytest.mark.large
def test_500_megabytes(nginx, data, tmp_path, monkeypatch):
    """The same flows as from the file with at most 32 MiB more of memory, and nothing written."""
    url, folder, log = nginx
    path = folder / "large.pcap"
    with open(path, "wb") as file:
        file.write(data)
        while file.tell() < 500 * 1000 * 1000:
            file.write(data[24:])
    path.chmod(0o644)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("TMPDIR", str(work))
    local = peak_kib(["flows", path, "-T", "jsonl"], work)
    remote = peak_kib(["flows", url + "large.pcap", "-T", "jsonl"], work)
    assert remote[0] == local[0] == 0
    assert remote[1] == local[1]
    assert os.listdir(work) == ["out"]
    if SLOWNESS == 1:  # a sanitiser's own memory says nothing
        print("peak KiB: %d over HTTP, %d from the file" % (remote[2], local[2]))
        assert remote[2] - local[2] <= 32 * 1024
    only_bounded_ranges(log(), path.stat().st_size)


def test_a_file_replaced_while_it_is_read(nginx, data):
    """nginx, a reader that stops in the middle, and another file in the same place."""
    url, folder, _ = nginx
    path = folder / "big.pcap"
    path.write_bytes(data * 3)
    path.chmod(0o644)
    with subprocess.Popen([PROGRAM, "packets", url + "big.pcap"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        process.stdout.readline()  # from here on the pipe is full before the second range is asked for
        time.sleep(0.5 * SLOWNESS)
        (folder / "new").write_bytes(data[:-1350])
        (folder / "new").chmod(0o644)
        (folder / "new").rename(path)
        _, err = process.communicate(timeout=60 * SLOWNESS)
    assert process.returncode == 1
    assert b"was replaced while it was read (HTTP 412)" in err and err.count(b"\n") == 1
