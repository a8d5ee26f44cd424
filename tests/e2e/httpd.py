"""A small HTTP/1.1 server for tests: serves byte strings, in a mode that the first part of the path names.

    with Server({"a.pcap": data}) as server:
        run(server.url("good", "a.pcap"))
        assert all(entry.range for entry in server.log)

A new mode is a function below, marked with @mode("name"). It gets the request, which knows `data`,
`query`, `first` and `last` (the bytes asked for; None without a Range) and `turn` (0 for the first
request to that URL, 1 for the next…), and answers through `part`, `reply` or the socket itself.
"""
import collections
import gzip
import http.server
import socket
import struct
import threading
import urllib.parse

Entry = collections.namedtuple("Entry", "method path range if_match encoding agent status sent")
DATE = "Mon, 01 Jan 2024 00:00:00 GMT"
MODES = {}


def mode(name):
    def register(function):
        MODES[name] = function
        return function
    return register


class Server:
    def __init__(self, files):
        self.files = files
        self.log = []
        self.turns = collections.Counter()
        self.lock = threading.Lock()
        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Request)
        self.httpd.daemon_threads = True
        self.httpd.owner = self

    def __enter__(self):
        threading.Thread(target=self.httpd.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.httpd.shutdown()
        self.httpd.server_close()

    def url(self, mode_name, file, query=""):
        assert mode_name in MODES
        return "http://127.0.0.1:%d/%s/%s%s" % (self.httpd.server_port, mode_name, file, query)


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    etag = '"v1"'
    date = DATE

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass  # the client has seen enough

    def do_HEAD(self):
        self.begin()
        self.reply(405, b"")

    def do_GET(self):
        name = self.begin()
        MODES[name](self)

    def begin(self):
        """Reads the request into attributes; returns the mode."""
        owner = self.server.owner
        path, _, self.query = self.path.partition("?")
        _, name, self.file = path.split("/", 2)
        self.data = owner.files[self.file]
        self.first = self.last = None
        asked = self.headers.get("Range")
        if asked:
            self.first, self.last = (int(n) for n in asked[len("bytes="):].split("-"))
            self.last = min(self.last, len(self.data) - 1)
        with owner.lock:
            self.turn = owner.turns[self.path]
            owner.turns[self.path] += 1
        return name

    def record(self, status, sent):
        with self.server.owner.lock:
            self.server.owner.log.append(Entry(
                self.command, self.path, self.headers.get("Range"), self.headers.get("If-Match"),
                self.headers.get("Accept-Encoding"), self.headers.get("User-Agent"), status, sent))

    def head(self, status, headers):
        self.send_response(status)
        for key, value in headers.items():
            if value is not None:
                self.send_header(key, value)
        self.end_headers()

    def reply(self, status, body, **headers):
        """A complete answer; keyword a_b is the header a-b."""
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        self.head(status, {"Content-Length": str(len(body)), **headers})
        if self.command != "HEAD":
            self.wfile.write(body)
        self.record(status, len(body))

    def part(self, shift=0, length=None, body=None, **headers):
        """The range asked for as 206, or spoilt: Content-Range shifted, another length or body."""
        whole = self.data[self.first:self.last + 1]
        body = whole if body is None else body
        content_range = "bytes %d-%d/%d" % (self.first + shift, self.last + shift, len(self.data))
        fields = {"Content-Range": content_range, "ETag": self.etag, "Last-Modified": self.date,
                  "Content-Length": str(len(whole) if length is None else length)}
        fields.update({key.replace("_", "-"): value for key, value in headers.items()})
        self.head(206, fields)
        self.wfile.write(body)
        self.record(206, len(body))

    def refuse(self, status, xml, **headers):
        self.reply(status, xml.encode(), Content_Type="application/xml", **headers)

    def reset(self):
        """Ends the connection with a TCP reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


@mode("good")
def good(request):
    wanted = request.headers.get("If-Match")
    if wanted and wanted != request.etag:
        request.refuse(412, "<Error><Code>ConditionNotMet</Code><Message>The condition specified "
                            "using HTTP conditional header(s) is not met.</Message></Error>")
    else:
        request.part()


@mode("no-range")
def no_range(request):
    request.reply(200, request.data, ETag=request.etag)


@mode("no-range-drop")
def no_range_drop(request):
    request.head(200, {"Content-Length": str(len(request.data))})
    request.wfile.write(request.data[:len(request.data) // 2])
    request.record(200, len(request.data) // 2)
    request.close_connection = True


def chunks(request, data):
    for at in range(0, len(data), 50000):
        piece = data[at:at + 50000]
        request.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
    request.wfile.write(b"0\r\n\r\n")
    request.record(200, len(data))


@mode("chunked")
def chunked(request):
    request.head(200, {"Transfer-Encoding": "chunked"})
    chunks(request, request.data)


@mode("chunked-part")
def chunked_part(request):
    """A good range whose answer does not say how long its body is."""
    request.head(206, {"Transfer-Encoding": "chunked", "ETag": request.etag, "Content-Range":
                       "bytes %d-%d/%d" % (request.first, request.last, len(request.data))})
    chunks(request, request.data[request.first:request.last + 1])


@mode("chunked-part-too-long")
def chunked_part_too_long(request):
    request.head(206, {"Transfer-Encoding": "chunked", "ETag": request.etag, "Content-Range":
                       "bytes %d-%d/%d" % (request.first, request.last, len(request.data))})
    chunks(request, request.data[request.first:request.last + 1] + b"more")


@mode("chunked-part-too-short")
def chunked_part_too_short(request):
    request.head(206, {"Transfer-Encoding": "chunked", "ETag": request.etag, "Content-Range":
                       "bytes %d-%d/%d" % (request.first, request.last, len(request.data))})
    chunks(request, request.data[request.first:request.last])


@mode("wrong-content-range")
def wrong_content_range(request):
    request.part(shift=1 if request.turn else 0)


@mode("no-content-range")
def no_content_range(request):
    request.part(Content_Range=None)


@mode("short-length")
def short_length(request):
    """Says itself that the body is shorter than the range."""
    cut = 10 if request.turn else 0
    whole = request.data[request.first:request.last + 1]
    request.part(length=len(whole) - cut, body=whole[:len(whole) - cut])


@mode("drop")
def drop(request):
    """The connection ends in the middle of the second body."""
    if not request.turn:
        request.part()
        return
    whole = request.data[request.first:request.last + 1]
    request.part(body=whole[:len(whole) // 2])
    request.close_connection = True


@mode("reset")
def reset(request):
    """Before the second answer's header."""
    if request.turn:
        request.reset()
        request.record(0, 0)
    else:
        request.part()


@mode("stall")
def stall(request):
    """No answer to the second request for as long as the client waits."""
    if request.turn:
        request.record(0, 0)
        request.connection.recv(1)
        request.close_connection = True
    else:
        request.part()


@mode("whole-later")
def whole_later(request):
    if request.turn:
        request.reply(200, request.data, ETag=request.etag)
    else:
        request.part()


@mode("replaced")
def replaced(request):
    """Another blob from the second request on, by a server that heeds If-Match."""
    request.etag = '"v2"' if request.turn else '"v1"'
    good(request)


@mode("replaced-silently")
def replaced_silently(request):
    """The same by a server that ignores If-Match."""
    request.etag = '"v2"' if request.turn else '"v1"'
    request.part()


@mode("weak-etag")
def weak_etag(request):
    request.etag = 'W/"v1"'
    request.part()


@mode("weak-etag-replaced")
def weak_etag_replaced(request):
    request.etag = 'W/"v1"'
    request.date = DATE.replace("Mon, 01", "Tue, 02") if request.turn else DATE
    request.part()


@mode("no-etag")
def no_etag(request):
    request.part(ETag=None)


@mode("no-etag-replaced")
def no_etag_replaced(request):
    if request.turn:
        request.data += b"grown"
    request.part(ETag=None, Last_Modified=None)


@mode("empty")
def empty(request):
    request.refuse(416, "<Error><Code>InvalidRange</Code></Error>", Content_Range="bytes */0")


@mode("forbidden")
def forbidden(request):
    """As Azure does it, and worse: the signature echoed as it was sent, decoded and in XML entities."""
    sent = next(pair[4:] for pair in request.query.split("&") if pair.startswith("sig="))
    plain = urllib.parse.unquote(sent)
    entities = plain.replace("+", "&#43;").replace("=", "&#x3D;")
    request.refuse(
        403, "\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><AuthenticationErrorDetail>Signature "
             "did not match. sig=%s String to sign used was %s</AuthenticationErrorDetail><Message>Server "
             "failed to authenticate %s and %s.\nRequestId:1</Message><Code>AuthenticationFailed</Code>"
             "</Error>" % (sent, entities, plain, sent), x_ms_error_code="AuthenticationFailed")


@mode("forbidden-later")
def forbidden_later(request):
    if request.turn:
        forbidden(request)
    else:
        request.part()


@mode("forbidden-endless")
def forbidden_endless(request):
    """A refusal whose body would never end."""
    request.head(403, {"x-ms-error-code": "AuthenticationFailed", "Connection": "close"})
    request.record(403, 0)
    try:
        while True:
            request.wfile.write(b"<Nothing>" * 10000)
    except ConnectionError:
        request.close_connection = True


@mode("missing")
def missing(request):
    request.refuse(404, "<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code><Message>The specified blob "
                        "does not exist.\nRequestId:1</Message></Error>")


@mode("archived")
def archived(request):
    request.refuse(409, "<Error><Code>BlobArchived</Code><Message>This operation is not permitted on an "
                        "archived blob.</Message></Error>")


@mode("busy")
def busy(request):
    request.refuse(503, "<Error><Message>Ingress is over the account limit.</Message>"
                        "<Code>ServerBusy</Code></Error>")


@mode("gzip")
def gzipped(request):
    """Compressed though nobody asked for it: offsets would be those of the compressed bytes."""
    body = gzip.compress(request.data[request.first:request.last + 1], 1)
    request.part(length=len(body), body=body, Content_Encoding="gzip")


@mode("redirect")
def redirect(request):
    target = "/good/%s" % request.file + ("?" + request.query if request.query else "")
    request.reply(302, b"", Location=target)


@mode("redirect-to-file")
def redirect_to_file(request):
    request.reply(302, b"", Location="file:///etc/passwd")


@mode("redirect-for-ever")
def redirect_for_ever(request):
    request.reply(302, b"", Location=request.path)


@mode("redirect-to-forbidden")
def redirect_to_forbidden(request):
    """The new place has a secret of its own, which its server echoes."""
    request.reply(302, b"", Location="/forbidden/%s?se=2020-01-01&sig=an0ther%%2BSecret%%3D" % request.file)
