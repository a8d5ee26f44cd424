"""Captures behind HTTP when more than an answer fails: servers that go away, readers that pause, certificates,
proxies; and where a secret must not be."""
import json
import os
import signal
import ssl
import subprocess
import threading
import time

import pytest

from httpd import Server
from support import PROGRAM, SLOWNESS
from test_http import RETRY, SAS, SECRETS, expect_error, make_capture, no_secret

PATIENT = "tries=200 first_ms=20 most_ms=100 total_s=60 stall_s=30"


@pytest.fixture(scope="module")
def data():
    return make_capture()


@pytest.fixture(scope="module")
def from_file(sluice, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("outage") / "big.pcap"
    path.write_bytes(data)
    return sluice("flows", path, "-T", "jsonl").stdout


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setenv("SLUICE_HTTP_RETRY", RETRY)
    for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server(data):
    with Server({"big.pcap": data}) as running:
        yield running


def wait_until(condition):
    deadline = time.monotonic() + 30 * SLOWNESS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def start_again(server):
    wait_until(lambda: not server.running)
    time.sleep(0.5)
    server.start()


def test_a_server_that_comes_back(sluice, server, from_file):
    thread = threading.Thread(target=start_again, args=(server,))
    thread.start()
    done = sluice("flows", server.url("switched-off", "big.pcap", SAS), "-T", "jsonl", "-v",
                  env={"SLUICE_HTTP_RETRY": PATIENT})
    thread.join()
    assert (done.returncode, done.stdout) == (0, from_file)
    assert b"again, lately after a broken transfer)" in done.stderr


def test_a_server_that_stays_away(sluice, server):
    done = sluice("summary", server.url("switched-off", "big.pcap", SAS), "-T", "json")
    expect_error(done, "the transfer ended at byte 2000000: ", "connect", "tried 4 times in 0 s; try again")
    assert json.loads(done.stdout)["packets"] == (2000000 - 24) // (16 + 54 + 1280)


def test_a_reader_that_pauses(server, from_file):
    """Whoever looks at the first page for minutes finds the connection broken: that is no failure, however few
    tries there are."""
    with subprocess.Popen([PROGRAM, "flows", server.url("impatient", "big.pcap"), "-T", "jsonl"],
                          env={**os.environ, "SLUICE_HTTP_RETRY": "tries=1"}, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        wait_until(lambda: server.turns["/impatient/big.pcap"] > 1)
        process.send_signal(signal.SIGSTOP)
        server.event.set()
        time.sleep(5.5)
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=60 * SLOWNESS)
    assert (process.returncode, out, err) == (0, from_file, b"")


def test_ctrl_c_before_the_first_byte(server):
    """Also where opening waits for ever."""
    with subprocess.Popen([PROGRAM, "flows", server.url("once-stall", "big.pcap")], stdout=subprocess.PIPE,
                          env={**os.environ, "SLUICE_HTTP_RETRY": "stall_s=60"},
                          stderr=subprocess.PIPE) as process:
        server.turns["/once-stall/big.pcap"] = 1
        wait_until(lambda: server.turns["/once-stall/big.pcap"] > 1)
        time.sleep(0.2 * SLOWNESS)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        _, err = process.communicate(timeout=60 * SLOWNESS)
    assert process.returncode == 130 and time.monotonic() - start < 1.5 * SLOWNESS
    assert b"interrupted before its first bytes came" in err


# --- TLS and proxies.

@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for this host that nobody has signed, with its key in the same file."""
    path = tmp_path_factory.mktemp("tls") / "own.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", path.with_suffix(".crt")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert made.returncode == 0, made.stdout
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@pytest.fixture
def tls_server(data, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Server({"big.pcap": data}, context) as running:
        yield running


def test_a_certificate_that_nobody_signed(sluice, tls_server):
    done = sluice("flows", tls_server.url("good", "big.pcap", SAS), "-T", "jsonl")
    expect_error(done, "https://127.0.0.1", "certificate")
    assert not tls_server.log


@pytest.mark.parametrize("variable", ["CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_bundle_of_certificates(sluice, tls_server, certificate, from_file, variable):
    done = sluice("flows", tls_server.url("good", "big.pcap", SAS), "-T", "jsonl",
                  env={variable: str(certificate.with_suffix(".crt"))})
    assert (done.returncode, done.stdout, done.stderr) == (0, from_file, b"")


def test_a_proxy(sluice, server, from_file):
    url = "http://captures.invalid/good/big.pcap" + SAS
    done = sluice("flows", url, "-T", "jsonl",
                  env={"http_proxy": "http://bob:hunter22@127.0.0.1:%d" % server.port, "no_proxy": ""})
    assert (done.returncode, done.stdout, done.stderr) == (0, from_file, b"")
    assert {entry.path for entry in server.log} == {url}


# --- Secrets.

def test_a_url_file_keeps_the_secret(server, tmp_path):
    """Not in the process list, nor in a file, nor in what is printed."""
    (tmp_path / "urls").write_text(server.url("stall", "big.pcap", SAS) + "\n")
    work = tmp_path / "work"
    work.mkdir()
    env = {**os.environ, "TMPDIR": str(work)}
    with subprocess.Popen([PROGRAM, "summary,flows", "--url-file", tmp_path / "urls", "-v", "-o", "result.json"],
                          cwd=work, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_until(lambda: server.turns["/stall/big.pcap" + SAS] > 1)
        with open("/proc/%d/cmdline" % process.pid, "rb") as file:
            words = file.read()
        with open("/proc/%d/environ" % process.pid, "rb") as file:
            words += file.read()
        out, err = process.communicate(timeout=60 * SLOWNESS)
    assert process.returncode == 1 and b"Operation too slow" in err
    texts = [words, out, err] + [path.read_bytes() for path in work.iterdir()]
    assert len(texts) == 4
    for secret in SECRETS:
        assert not any(secret.lower() in text.lower() for text in texts)


@pytest.mark.parametrize("query", ["?" + SAS[1:].replace("sig=", "X-Amz-Signature="), "?token=S3cr3t&x=hunter22"])
def test_other_secrets(sluice, server, query):
    done = sluice("flows", server.url("missing", "big.pcap", query), "-T", "jsonl")
    expect_error(done, "HTTP 404 BlobNotFound")
    no_secret(done)
