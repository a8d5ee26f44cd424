"""A small HTTP/1.1 server for tests: serves byte strings, in a mode (httpd.py) that the first part of the
path names.

A mode gets the request, which knows `data`, `query`, `first` and `last` (the bytes asked for; None without
a Range) and `turn` (0 for the first request to that URL, 1 for the next…), and answers through `part`,
`reply` or the socket itself.
"""
import collections
import http.server
import socket
import struct
import threading

Entry = collections.namedtuple("Entry", "method path range if_match encoding agent auth status sent")
DATE = "Mon, 01 Jan 2024 00:00:00 GMT"
MODES = {}


def mode(name):
    def register(function):
        MODES[name] = function
        return function
    return register


class Server:
    """with Server({"a.pcap": data}) as server: run(server.url("good", "a.pcap")), look at server.log.

    stop() is as if its machine were switched off, also for answers under way; start() is at the same port.
    """

    def __init__(self, files, tls=None):
        self.files = files
        self.log = []
        self.turns = collections.Counter()
        self.other = None  # where redirects to another host go
        self.lock = threading.Lock()
        self.port = 0
        self.tls = tls  # an ssl.SSLContext
        self.running = False
        self.switched_off = False  # a mode that does so has done it
        self.httpd = None
        self.event = threading.Event()  # some modes wait for it

    def start(self):
        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Request)
        self.httpd.daemon_threads = True
        self.httpd.owner = self
        self.port = self.httpd.server_port
        self.running = True
        if self.tls:
            self.httpd.socket = self.tls.wrap_socket(self.httpd.socket, server_side=True)
        threading.Thread(target=self.httpd.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.running = False
        self.httpd.shutdown()
        self.httpd.server_close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.running:
            self.stop()

    def url(self, mode_name, file, query="", host="127.0.0.1"):
        assert mode_name in MODES
        return "%s://%s:%d/%s/%s%s" % ("https" if self.tls else "http", host, self.port, mode_name, file, query)


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
        if not owner.running:
            raise ConnectionResetError
        path, _, self.query = self.path.partition("?")
        if path.startswith("http://"):  # what a proxy is asked for
            path = "/" + path.split("/", 3)[3]
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
                self.headers.get("Accept-Encoding"), self.headers.get("User-Agent"),
                self.headers.get("Authorization"), status, sent))

    def head(self, status, headers):
        self.send_response(status)
        for key, value in headers.items():
            if value is not None:
                self.send_header(key, value)
        self.end_headers()

    def send(self, body):
        for at in range(0, len(body), 65536):
            if not self.server.owner.running:
                self.reset()
                raise ConnectionResetError
            self.wfile.write(body[at:at + 65536])

    def reply(self, status, body, **headers):
        """A complete answer; keyword a_b is the header a-b."""
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        self.head(status, {"Content-Length": str(len(body)), **headers})
        if self.command != "HEAD":
            self.send(body)
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
        self.send(body)
        self.record(206, len(body))

    def refuse(self, status, xml, **headers):
        self.reply(status, xml.encode(), Content_Type="application/xml", **headers)

    def reset(self):
        """Ends the connection with a TCP reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
