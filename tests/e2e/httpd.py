"""The fault server: the modes of httpd_core.py. A new one is a function marked with @mode("name").

Modes whose name begins with once- are wrong in the second, fourth … request a few times, and good
otherwise; the others, where the name does not say more, from the second request on or always.
"""
import email.utils
import functools
import gzip
import time
import urllib.parse

from httpd_core import DATE, MODES, Server, mode

__all__ = ["MODES", "Server"]


def once(name, times=6):
    """Registers a mode that is mostly good: request.turn is then 0 for the first fault, 1 for the next…"""
    def register(function):
        @functools.wraps(function)
        def sometimes(request):
            if request.turn % 2 and request.turn < 2 * times:
                request.turn //= 2
                function(request)
            else:
                good(request)
        return mode("once-" + name)(sometimes)
    return register


@mode("good")
def good(request):
    wanted = request.headers.get("If-Match")
    if wanted and wanted != request.etag:
        request.refuse(412, "<Error><Code>ConditionNotMet</Code><Message>The condition specified "
                            "using HTTP conditional header(s) is not met.</Message></Error>")
    elif request.first is not None and request.first >= len(request.data):
        request.refuse(416, "<Error><Code>InvalidRange</Code></Error>",
                       Content_Range="bytes */%d" % len(request.data))
    else:
        request.part()


@mode("no-range")
def no_range(request):
    request.reply(200, request.data, ETag=request.etag)


@mode("no-range-once-drop")
def no_range_once_drop(request):
    """All of it, but the first two times not to the end."""
    if request.turn > 1:
        no_range(request)
        return
    request.head(200, {"Content-Length": str(len(request.data)), "ETag": request.etag})
    request.send(request.data[:len(request.data) * (request.turn + 1) // 3])
    request.record(200, len(request.data) // 3)
    request.close_connection = True


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


@once("drop")
def drop(request):
    """The connection ends in the middle of the body."""
    whole = request.data[request.first:request.last + 1]
    request.part(body=whole[:len(whole) // 2])
    request.close_connection = True


@mode("drop-at-2-MB")
def drop_at_2_mb(request):
    """Nothing from there on ever comes, though it is promised."""
    request.part(body=request.data[request.first:min(request.last + 1, 2000000)])
    request.close_connection = request.last + 1 > 2000000


@once("reset")
@mode("reset")
def reset(request):
    """Before the second answer's header."""
    if request.turn or request.path.startswith("/once-"):
        request.reset()
        request.record(0, 0)
    else:
        request.part()


@once("reset-inside")
def reset_inside(request):
    whole = request.data[request.first:request.last + 1]
    request.part(body=whole[:len(whole) // 3])
    request.reset()


@once("stall", 2)
def stall_once(request):
    request.record(0, 0)
    request.connection.recv(1)
    request.close_connection = True


@mode("stall")
def stall(request):
    """No answer to the second request for as long as the client waits."""
    if request.turn:
        stall_once.__wrapped__(request)
    else:
        request.part()


@once("drip")
def drip(request):
    """Good, but for a few bytes a second."""
    if request.turn:
        request.part()
        return
    request.head(206, {"Content-Length": str(request.last - request.first + 1), "ETag": request.etag,
                       "Last-Modified": request.date, "Content-Range":
                       "bytes %d-%d/%d" % (request.first, request.last, len(request.data))})
    request.record(206, 0)
    for at in range(request.first, request.last, 5):
        request.wfile.write(request.data[at:at + 5])
        time.sleep(0.1)


@mode("switched-off")
def switched_off(request):
    """The machine is switched off when it has sent 2 MB; when it is on again all is good."""
    at = 2000000
    if request.server.owner.switched_off or not request.first <= at <= request.last:
        good(request)
        return
    request.server.owner.switched_off = True
    request.part(body=request.data[request.first:at])
    request.server.owner.stop()
    request.reset()


@mode("impatient")
def impatient(request):
    """The second answer breaks in the middle, when the test says so."""
    if request.turn != 1:
        good(request)
        return
    whole = request.data[request.first:request.last + 1]
    request.part(body=whole[:len(whole) // 2])
    request.server.owner.event.wait()
    request.reset()


@mode("whole-later")
def whole_later(request):
    if request.turn:
        request.reply(200, request.data, ETag=request.etag)
    else:
        request.part()


@mode("replaced")
def replaced(request):
    """Another blob from the second request on, by a server that heeds If-Match."""
    if request.turn:
        request.etag, request.data = '"v2"', request.data[::-1]
    good(request)


@mode("replaced-silently")
def replaced_silently(request):
    """The same by a server that ignores If-Match."""
    if request.turn:
        request.etag, request.data = '"v2"', request.data[::-1]
    request.part()


def grow(request, name, silently):
    """The blob gets longer and another tag twice while it is read."""
    version = 3 if request.turn > 4 else 2 if request.turn > 1 else 1
    if not silently or request.turn != 1:
        request.data += b"grown" * (version - 1)
        request.etag = '"%s%d"' % (name, version)
    (MODES["parts"] if silently else good)(request)


@mode("parts")
def parts(request):
    """A server that ignores If-Match."""
    request.part()


@mode("appended")
def appended(request):
    """Azure: an appended blob has another tag, so that If-Match fails."""
    grow(request, "v", False)


@mode("appended-silently")
def appended_silently(request):
    grow(request, "v", True)


@mode("cut")
def cut(request):
    """The blob is shorter from the second request on: 416 behind its end, without heed of If-Match."""
    if request.turn:
        request.data = request.data[:1000000]
    if request.first >= len(request.data):
        request.refuse(416, "<Error><Code>InvalidRange</Code></Error>",
                       Content_Range="bytes */%d" % len(request.data))
    else:
        request.part()


@mode("weak-etag")
def weak_etag(request):
    request.etag = 'W/"v1"'
    request.part()


@mode("weak-etag-replaced")
def weak_etag_replaced(request):
    request.etag = 'W/"v1"'
    if request.turn:
        request.date, request.data = DATE.replace("Mon, 01", "Tue, 02"), request.data[::-1]
    request.part()


@mode("no-etag")
def no_etag(request):
    request.part(ETag=None)


@mode("no-etag-appended")
def no_etag_appended(request):
    if request.turn:
        request.data += b"grown"
    request.part(ETag=None, Last_Modified=None)


@mode("no-etag-replaced")
def no_etag_replaced(request):
    if request.turn:
        request.data = request.data[::-1] + b"longer"
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


@mode("missing-bom")
def missing_bom(request):
    request.refuse(404, "\ufeff<?xml version=\"1.0\"?><Error><Message>The specified container does not exist."
                        "</Message><Code>ContainerNotFound</Code></Error>")


@mode("forbidden-plain")
def forbidden_plain(request):
    """As S3 has it."""
    request.refuse(403, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")


@mode("missing")
def missing(request):
    request.refuse(404, "<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code><Message>The specified blob "
                        "does not exist.\nRequestId:1</Message></Error>")


@mode("archived")
def archived(request):
    request.refuse(409, "<Error><Code>BlobArchived</Code><Message>This operation is not permitted on an "
                        "archived blob.</Message></Error>")


def say_busy(request, status, **headers):
    request.refuse(status, "<Error><Message>Ingress is over the account limit.</Message>"
                           "<Code>ServerBusy</Code></Error>", **headers)


@mode("busy")
def busy(request):
    say_busy(request, 503)


@mode("busy-later")
def busy_later(request):
    if request.turn:
        say_busy(request, 503)
    else:
        request.part()


@mode("busy-for-an-hour")
def busy_for_an_hour(request):
    say_busy(request, 503, Retry_After="3600")


for code in (408, 429, 500, 502, 503, 504):
    once(str(code))(functools.partial(say_busy, status=code))


@once("503-seconds", 1)
def busy_for_a_second(request):
    say_busy(request, 503, Retry_After="1")


@once("503-date", 1)
def busy_until_a_date(request):
    say_busy(request, 503, Retry_After=email.utils.formatdate(time.time() + 2, usegmt=True))


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


@mode("redirect-to-other-host")
def redirect_to_other_host(request):
    other = request.server.owner.other
    request.reply(302, b"", Location=other.url("good", request.file, host="localhost"))
