"""People browsing: connections that a lookup precedes, over TLS, plain HTTP and QUIC."""

from . import messages, tls
from .office import HOUR_US, MINUTE_US, SECOND_US
from .tcp import CLIENT, SERVER
from .world import DESKS, LAPTOP, PHONES, SITES

SESSIONS = 850
# How busy each five minutes are: people arrive, work, leave for coffee at half past, come back.
LOAD = (5, 9, 10, 8, 7, 6, 2, 3, 8, 10, 7, 5)
LAPTOP_FROM_US = 5 * MINUTE_US
MISSPELT = ("wwww.shop.example", "printer.corp.example", "wpad.office.example",
            "intranet.corp.example", "nwes.daily.example", "isatap.office.example")
SIZES = (40, 60, 90, 130, 450, 700, 1200, 2200, 5200, 12000, 31000, 90000)
SIZE_WEIGHTS = (26, 26, 18, 12, 8, 6, 5, 4, 2.6, 1.4, 0.5, 0.15)


def browse(office):
    rng = office.rng
    times = sorted(session_time(rng) for _ in range(office.amount(SESSIONS)))
    for number, time_us in enumerate(times):
        people = DESKS + PHONES + ([LAPTOP] if time_us > LAPTOP_FROM_US else [])
        host = rng.choice(people)
        target = rng.choices(SITES, [each.weight for each in SITES])[0]
        visit(office, time_us, host, target)
        if number % 19 == 7:
            office.fail_to_resolve(time_us + rng.randrange(SECOND_US), host, rng.choice(MISSPELT))


def session_time(rng):
    slot = rng.choices(range(len(LOAD)), LOAD)[0]
    return slot * (HOUR_US // len(LOAD)) + rng.randrange(HOUR_US // len(LOAD))


def size(rng):
    return round(rng.choices(SIZES, SIZE_WEIGHTS)[0] * rng.uniform(0.7, 1.4))


def visit(office, time_us, host, target):
    if target.scheme == "quic":
        quic_visit(office, time_us, host, target)
    elif target.scheme == "http":
        http_visit(office, time_us, host, target)
    else:
        tls_visit(office, time_us, host, target)


def think(rng):
    return rng.randrange(80000, 6 * SECOND_US)


def tls_open(office, time_us, host, target, port=443):
    """A connection with its handshake done."""
    tls13 = target.scheme == "tls13"
    connection = office.connect(time_us, host, target, port)
    connection.open()
    connection.send(CLIENT, tls.client_hello(office.noise, target.name, tls13), 400)
    connection.send(SERVER, tls.server_flight(office.noise, target.name, tls13), 1500)
    connection.send(CLIENT, tls.client_finish(office.noise, tls13), 900)
    if not tls13:
        connection.send(SERVER, tls.server_finish(office.noise, tls13), 300)
    return connection


def tls_visit(office, time_us, host, target):
    rng = office.rng
    connection = tls_open(office, time_us, host, target)
    for number in range(rng.choice((1, 2, 4, 7, 10, 14))):
        if number:
            connection.wait(think(rng))
        request = tls.application(office.noise, rng.randrange(40, 120))
        connection.send(CLIENT, request, 600)
        response = tls.application(office.noise, size(rng))
        if not number and target.scheme == "tls13":
            response = tls.server_finish(office.noise, True) + response
        # A few paths deliver packets out of order.
        connection.send(SERVER, response, rng.randrange(2000, 60000),
                        reorder=target.name == "surf.travel.example")
    leave(office, connection, tls.close_notify(office.noise, target.scheme == "tls13"))


def leave(office, connection, goodbye):
    """Close as browsers do: mostly in order, now and then with a reset."""
    rng = office.rng
    connection.wait(rng.randrange(SECOND_US, 20 * SECOND_US))
    if rng.random() < 0.05:
        connection.reset(rng.choice((CLIENT, SERVER)))
    else:
        side = CLIENT if rng.random() < 0.7 else SERVER
        if goodbye:
            connection.send(side, goodbye)
        connection.close(side)
    connection.finish()


def http_visit(office, time_us, host, target):
    rng = office.rng
    connection = office.connect(time_us, host, target, 80)
    connection.open()
    for number in range(rng.choice((1, 2, 3))):
        if number:
            connection.wait(think(rng))
        page = rng.choice(("", "index.html", "today", "list?page=2", "about", "search?q=printer"))
        connection.send(CLIENT, messages.http_request(target.name, "/" + page, host.stack), 500)
        body = messages.html(rng, target.name, size(rng))
        status = rng.choices(("200 OK", "404 Not Found", "503 Service Unavailable"), (94, 5, 1))[0]
        response = messages.http_response(status, "text/html; charset=utf-8", body)
        connection.send(SERVER, response, rng.randrange(2000, 80000))
    leave(office, connection, b"")


def quic_visit(office, time_us, host, target):
    """UDP to port 443 with the outline of a QUIC connection."""
    rng, noise = office.rng, office.noise
    time_us = office.resolve(time_us, host, target) + 700
    port = office.port(host)
    server_id = rng.randbytes(8)
    here, there = (host.v6, target.v6) if target.v6 else (host.v4, target.v4)

    def up(at_us, payload):
        office.datagram(at_us, here, there, port, 443, payload, host.ttl)

    def down(at_us, payload):
        office.datagram(at_us, there, here, 443, port, payload, 64 - target.hops)

    up(time_us, tls.quic_long(noise, 0, server_id, b"", 1200))
    time_us += target.rtt_us + rng.randrange(2000)
    down(time_us, tls.quic_long(noise, 0, b"", server_id, 160)
         + tls.quic_long(noise, 2, b"", server_id, 1040))
    down(time_us + 250, tls.quic_long(noise, 2, b"", server_id, 1200))
    up(time_us + 900, tls.quic_long(noise, 2, server_id, b"", 110))
    for _ in range(rng.choice((1, 2, 4))):
        time_us += rng.randrange(20000, 900000)
        up(time_us, tls.quic_short(noise, server_id, rng.randrange(90, 420)))
        time_us += target.rtt_us
        for number in range(rng.randrange(2, 9)):
            down(time_us, tls.quic_short(noise, b"", rng.choice((1252, 1252, 240, 75))))
            if number % 2:
                up(time_us + 180, tls.quic_short(noise, server_id, 42))
            time_us += rng.randrange(260, 900)
    up(time_us + 400, tls.quic_short(noise, server_id, 40))
