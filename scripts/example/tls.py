"""TLS 1.2 (RFC 5246) and 1.3 (RFC 8446) handshakes as they look from outside, and QUIC's outline.

Keys and ciphertext are noise: nobody can decrypt what was never encrypted.
"""

import struct

CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
MAX_FRAGMENT = 16384
SUITES_13 = bytes.fromhex("130113021303")
SUITES_12 = bytes.fromhex("c02bc02fc02cc030cca9cca8c013c014009c009d002f0035")


def vector(data, width):
    return len(data).to_bytes(width, "big") + data


def record(kind, data, version=0x0303):
    return struct.pack("!BHH", kind, version, len(data)) + data


def message(kind, body):
    return bytes([kind]) + vector(body, 3)


def extension(kind, data):
    return struct.pack("!H", kind) + vector(data, 2)


def client_hello(noise, name, tls13):
    """Small enough to survive the example's snap length whole: without session id or padding."""
    sni = extension(0, vector(b"\0" + vector(name.encode(), 2), 2))
    groups = extension(10, vector(bytes.fromhex("001d0017"), 2))
    signatures = extension(13, vector(bytes.fromhex("0403080404010501"), 2))
    if tls13:
        versions = extension(43, vector(bytes.fromhex("0304"), 1)) + extension(45, b"\1\1")
        share = extension(51, vector(b"\0\x1d" + vector(noise(32), 2), 2))
        rest = extension(16, vector(vector(b"h2", 1), 2)) + versions + share
    else:
        rest = extension(16, vector(vector(b"http/1.1", 1), 2)) + extension(11, vector(b"\0", 1))
        rest += extension(23, b"") + extension(35, b"") + extension(0xFF01, b"\0")
    extensions = sni + groups + signatures + rest
    suites = SUITES_13 if tls13 else SUITES_12
    body = b"\3\3" + noise(32) + vector(b"", 1) + vector(suites, 2) + b"\1\0"
    return record(HANDSHAKE, message(1, body + vector(extensions, 2)), 0x0301)


def server_hello(noise, tls13):
    if tls13:
        extensions = extension(43, b"\3\4") + extension(51, b"\0\x1d" + vector(noise(32), 2))
        suite = b"\x13\x01"
    else:
        extensions = extension(0xFF01, b"\0") + extension(16, vector(vector(b"http/1.1", 1), 2))
        suite = b"\xc0\x2f"
    session = b"" if tls13 else noise(32)
    body = b"\3\3" + noise(32) + vector(session, 1) + suite + b"\0" + vector(extensions, 2)
    return message(2, body)


def server_flight(noise, name, tls13):
    """All that the server says before it has heard the client finish."""
    hello = server_hello(noise, tls13)
    if tls13:
        encrypted = record(APPLICATION, noise(1180 + 4 * len(name)))
        return record(HANDSHAKE, hello) + encrypted
    chain = vector(vector(certificate(noise, name), 3), 3)
    key = b"\3\0\x1d" + vector(noise(32), 1) + b"\4\1" + vector(noise(256), 2)
    return record(HANDSHAKE, hello + message(11, chain) + message(12, key) + message(14, b""))


def client_finish(noise, tls13):
    if tls13:
        return record(APPLICATION, noise(53))
    changed = record(CHANGE_CIPHER, b"\1")
    exchange = record(HANDSHAKE, message(16, vector(noise(32), 1)))
    return exchange + changed + record(HANDSHAKE, noise(40))


def server_finish(noise, tls13):
    """Session tickets."""
    if tls13:
        return record(APPLICATION, noise(234)) * 2
    ticket = record(HANDSHAKE, message(4, struct.pack("!I", 7200) + vector(noise(192), 2)))
    return ticket + record(CHANGE_CIPHER, b"\1") + record(HANDSHAKE, noise(40))


def application(noise, size):
    """Records around `size` bytes of data."""
    parts = []
    while size > 0:
        part = min(size, MAX_FRAGMENT)
        parts.append(record(APPLICATION, noise(part + 17)))
        size -= part
    return b"".join(parts)


def close_notify(noise, tls13):
    return record(APPLICATION if tls13 else ALERT, noise(19 if tls13 else 26))


def der(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(body).to_bytes(size, "big") + body


def certificate(noise, name):
    """An X.509 certificate whose form is right and whose key and signature are noise."""
    def common_name(text):
        pair = der(0x30, der(6, bytes.fromhex("550403")), der(0x0C, text.encode()))
        return der(0x30, der(0x31, pair))
    sha256_rsa = der(0x30, der(6, bytes.fromhex("2a864886f70d01010b")), der(5))
    rsa = der(0x30, der(6, bytes.fromhex("2a864886f70d010101")), der(5))
    key = der(0x30, der(2, b"\0\xb1" + noise(255)), der(2, b"\1\0\1"))
    names = der(0x30, der(6, bytes.fromhex("551d11")),
                der(4, der(0x30, der(0x82, name.encode()))))
    validity = der(0x30, der(0x17, b"260101000000Z"), der(0x17, b"260401000000Z"))
    body = der(0x30, der(0xA0, der(2, b"\2")), der(2, b"\x11" + noise(15)), sha256_rsa,
               common_name("Example Issuing CA 3"), validity, common_name(name),
               der(0x30, rsa, der(3, b"\0" + key)), der(0xA3, der(0x30, names)))
    return der(0x30, body, sha256_rsa, der(3, b"\0" + noise(256)))


def quic_long(noise, kind, destination, source, size):
    """A QUIC version 1 long header packet of `size` bytes (RFC 9000 section 17.2)."""
    token = b"\0" if kind == 0 else b""
    head = bytes([0xC0 | kind << 4 | noise(1)[0] & 0x0F]) + struct.pack("!I", 1)
    head += vector(destination, 1) + vector(source, 1) + token
    length = size - len(head) - 2
    return head + struct.pack("!H", 0x4000 | length) + noise(length)


def quic_short(noise, destination, size):
    return bytes([0x40 | noise(1)[0] & 0x3F]) + destination + noise(size - 1 - len(destination))
