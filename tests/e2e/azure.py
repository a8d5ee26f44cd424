"""Just enough of Azure Blob Storage for tests: Azurite as a process, uploads under the shared key, SAS.

Formats: "Authorize with Shared Key" and "Create a service SAS" in the Azure Storage REST reference.
"""
import base64
import email.utils
import hashlib
import hmac
import http.client
import os
import shutil
import socket
import subprocess
import time
import urllib.parse

from support import ROOT

# Azurite's only account, published in its documentation.
ACCOUNT = "devstoreaccount1"
KEY = base64.b64decode("Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==")
VERSION = "2021-08-06"
PROGRAM = os.path.join(ROOT, "build", "npm", "node_modules", ".bin", "azurite-blob")


def absent():
    """Why Azurite cannot run here, or None."""
    if not shutil.which("node"):
        return "node is not installed"
    if not os.path.exists(PROGRAM):
        return "Azurite is not in build/npm: scripts/install-npm.sh"
    return None


def sign(text):
    return base64.b64encode(hmac.new(KEY, text.encode(), hashlib.sha256).digest()).decode()


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Azurite:
    """with Azurite(folder) as azure: azure.upload(...); azure.url(...)"""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.folder = str(folder)
        self.process = None

    def __enter__(self):
        with open(os.path.join(self.folder, "azurite.log"), "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck", "--silent",
                 "--blobPort", str(self.port)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.__exit__()
                    with open(os.path.join(self.folder, "azurite.log"), encoding="utf-8") as log:
                        raise RuntimeError("Azurite does not start: " + log.read()) from None
                time.sleep(0.1)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def put(self, resource, body=b"", headers=None, query=""):
        """A PUT under the account's shared key; resource is "container" or "container/blob"."""
        headers = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": VERSION, **(headers or {})}
        path = "/%s/%s" % (ACCOUNT, urllib.parse.quote(resource))
        canonical = "".join("%s:%s\n" % (key, headers[key]) for key in sorted(headers))
        canonical += "/%s%s" % (ACCOUNT, path)  # Azurite's paths begin with the account once more
        for key, value in sorted(urllib.parse.parse_qsl(query)):
            canonical += "\n%s:%s" % (key, value)
        length = str(len(body)) if body else ""
        text = "\n".join(["PUT", "", "", length, "", "", "", "", "", "", "", "", canonical])
        headers["Authorization"] = "SharedKey %s:%s" % (ACCOUNT, sign(text))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("PUT", path + ("?" + query if query else ""), body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status == 201, (answer.status, text)

    def create_container(self, container):
        self.put(container, query="restype=container")

    def upload(self, container, blob, data):
        self.put(container + "/" + blob, data, {"x-ms-blob-type": "BlockBlob"})

    def url(self, container, blob, sas):
        return "http://127.0.0.1:%d/%s/%s/%s?%s" % (self.port, ACCOUNT, container, urllib.parse.quote(blob), sas)


def container_sas(container, permissions="rl", start=None, expiry=None, addresses="127.0.0.1"):
    """The query of a service SAS for all blobs of a container, as Azure's portal writes it."""
    start = iso(time.time() - 3600) if start is None else start
    expiry = iso(time.time() + 3600) if expiry is None else expiry
    resource = "/blob/%s/%s" % (ACCOUNT, container)
    identifier = protocols = snapshot = scope = ""
    response_headers = [""] * 5
    text = "\n".join([permissions, start, expiry, resource, identifier, addresses, protocols, VERSION, "c",
                      snapshot, scope, *response_headers])
    return urllib.parse.urlencode({"sp": permissions, "st": start, "se": expiry, "sip": addresses, "sv": VERSION,
                                   "sr": "c", "sig": sign(text)})
