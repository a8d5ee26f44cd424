"""DNS messages (RFC 1035), for the resolver on the router and for multicast DNS (RFC 6762)."""

import struct

A, PTR, TXT, AAAA, SRV, CNAME, SOA = 1, 12, 16, 28, 33, 5, 6
IN, CACHE_FLUSH = 1, 0x8001
QUERY, ANSWER, NAME_ERROR = 0x0100, 0x8180, 0x8183
MULTICAST_ANSWER = 0x8400
QUESTION_NAME = b"\xc0\x0c"  # a pointer to the name of the first question


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def header(ident, flags, questions, answers=0, authorities=0):
    return struct.pack("!HHHHHH", ident, flags, questions, answers, authorities, 0)


def question(name, kind):
    return encode(name) + struct.pack("!HH", kind, IN)


def record(owner, kind, ttl_s, data, rclass=IN):
    return owner + struct.pack("!HHIH", kind, rclass, ttl_s, len(data)) + data


def query(ident, name, kind):
    return header(ident, QUERY, 1) + question(name, kind)


def authority(zone, ttl_s):
    numbers = struct.pack("!IIIII", 2026022801, 7200, 3600, 1209600, 300)
    soa = encode("ns1." + zone) + encode("hostmaster." + zone) + numbers
    return record(encode(zone), SOA, ttl_s, soa)


def answer(ident, name, kind, address, alias_of, ttl_s):
    """The answer to query(): an address, through an alias if there is one, or no data."""
    asked = question(name, kind)
    alias, owner = b"", QUESTION_NAME
    if alias_of:
        alias = record(QUESTION_NAME, CNAME, ttl_s, encode(alias_of))
        owner = struct.pack("!H", 0xC000 | (12 + len(asked) + 12))  # the name inside `alias`
    count = 1 if alias else 0
    if not address:
        zone = ".".join((alias_of or name).split(".")[-2:])
        return header(ident, ANSWER, 1, count, 1) + asked + alias + authority(zone, ttl_s)
    return header(ident, ANSWER, 1, count + 1) + asked + alias + record(owner, kind, ttl_s, address)


def no_such_name(ident, name, kind):
    zone = ".".join(name.split(".")[-2:])
    return header(ident, NAME_ERROR, 1, 0, 1) + question(name, kind) + authority(zone, 300)


def multicast_query(name):
    return header(0, 0, 1) + question(name, PTR)


def service_announcement(service, instance, target, port, address):
    """What a device multicasts about itself: the records of RFC 6763."""
    full = f"{instance}.{service}"
    srv = struct.pack("!HHH", 0, 0, port) + encode(target)
    records = [
        record(encode(service), PTR, 4500, encode(full)),
        record(encode(full), SRV, 120, srv, CACHE_FLUSH),
        record(encode(full), TXT, 4500, b"\x09txtvers=1", CACHE_FLUSH),
        record(encode(target), A, 120, address, CACHE_FLUSH),
    ]
    return header(0, MULTICAST_ANSWER, 0, len(records)) + b"".join(records)
