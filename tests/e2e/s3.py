"""Just enough of S3 for tests: s3rver as a process, and presigned URLs.

Formats: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" in the S3 API reference, and
"Signing and Authenticating REST Requests" for version 2, the only one whose signatures s3rver compares.
"""
import base64
import datetime
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

KEY_ID, KEY = "S3RVER", "S3RVER"  # s3rver's only account
REGION = "us-east-1"
BUCKET = "captures"
PROGRAM = os.path.join(ROOT, "build", "npm", "node_modules", ".bin", "s3rver")


def absent():
    """Why s3rver cannot run here, or None."""
    if not shutil.which("node"):
        return "node is not installed"
    if not os.path.exists(PROGRAM):
        return "s3rver is not in build/npm: scripts/install-npm.sh"
    return None


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def presigned_query(method, host, path, age_s=0, expires_s=3600):
    """The query that allows this one request, signed age_s ago."""
    when = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age_s)
    stamp, day = when.strftime("%Y%m%dT%H%M%SZ"), when.strftime("%Y%m%d")
    scope = "%s/%s/s3/aws4_request" % (day, REGION)
    query = urllib.parse.urlencode(sorted({
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": "%s/%s" % (KEY_ID, scope),
        "X-Amz-Date": stamp, "X-Amz-Expires": str(expires_s), "X-Amz-SignedHeaders": "host"}.items()))
    request = "\n".join([method, path, query, "host:" + host, "", "host", "UNSIGNED-PAYLOAD"])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = ("AWS4" + KEY).encode()
    for part in (day, REGION, "s3", "aws4_request"):
        key = mac(key, part)
    return query + "&X-Amz-Signature=" + mac(key, text).hex()


def presigned_query_v2(method, path, expires_s=3600):
    expires = str(int(time.time()) + expires_s)
    digest = hmac.new(KEY.encode(), "\n".join([method, "", "", expires, path]).encode(), hashlib.sha1).digest()
    return urllib.parse.urlencode({"AWSAccessKeyId": KEY_ID, "Expires": expires,
                                   "Signature": base64.b64encode(digest).decode()})


class S3:
    """with S3(folder) as s3: s3.upload("a.pcap", data); s3.url("a.pcap")"""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.host = "127.0.0.1:%d" % self.port
        self.folder = str(folder)
        self.process = None

    def __enter__(self):
        with open(os.path.join(self.folder, "s3rver.log"), "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "-d", os.path.join(self.folder, "data"), "-a", "127.0.0.1", "-p", str(self.port),
                 "--configure-bucket", BUCKET, "--no-vhost-buckets", "--silent"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.__exit__()
                    with open(os.path.join(self.folder, "s3rver.log"), encoding="utf-8") as log:
                        raise RuntimeError("s3rver does not start: " + log.read()) from None
                time.sleep(0.1)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def request(self, method, path, query, body=None):
        """Status of a request, and its body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path + "?" + query, body)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text

    def upload(self, name, data):
        path = "/%s/%s" % (BUCKET, name)
        status, text = self.request("PUT", path, presigned_query("PUT", self.host, path), data)
        assert status == 200, text

    def url_v2(self, name):
        path = "/%s/%s" % (BUCKET, name)
        return "http://%s%s?%s" % (self.host, path, presigned_query_v2("GET", path))

    def url(self, name, **more):
        path = "/%s/%s" % (BUCKET, name)
        return "http://%s%s?%s" % (self.host, path, presigned_query("GET", self.host, path, **more))
