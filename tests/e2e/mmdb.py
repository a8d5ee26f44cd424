"""Writes small MaxMind DBs (MaxMind DB file format specification, version 2.0) for tests."""
import ipaddress
import struct

UINT16, UINT32, UINT64 = 5, 6, 9

def _control(kind, size, data):
    head = bytes([(kind if kind < 8 else 0) << 5 | min(size, 29)])
    if kind >= 8:
        head += bytes([kind - 7])
    if size >= 29:
        head += bytes([size - 29])
    return head + data


def _number(kind, value):
    data = value.to_bytes(8, "big").lstrip(b"\0")
    return _control(kind, len(data), data)


def _encode(value):
    if isinstance(value, bytes):  # encoded already
        return value
    if isinstance(value, str):
        data = value.encode()
        return _control(2, len(data), data)
    if isinstance(value, int):
        return _number(UINT32, value)
    if isinstance(value, list):
        return _control(11, len(value), b"".join(map(_encode, value)))
    return _control(7, len(value), b"".join(_encode(k) + _encode(v) for k, v in value.items()))


def mmdb(kind, entries):
    """A database of that type with {IPv4 network: record}, as bytes."""
    nodes, data, offsets = [[None, None]], b"", {}
    for network, record in entries.items():
        text = repr(record)
        if text not in offsets:
            offsets[text] = len(data)
            data += _encode(record)
        net = ipaddress.ip_network(network)
        at, bits = 0, "".join("{:08b}".format(b) for b in net.network_address.packed)[:net.prefixlen]
        for bit in map(int, bits[:-1]):
            if nodes[at][bit] is None:
                nodes.append([None, None])
                nodes[at][bit] = ("node", len(nodes) - 1)
            at = nodes[at][bit][1]
        nodes[at][int(bits[-1])] = ("data", offsets[text])

    def record(entry):
        if entry is None:
            return len(nodes)
        return entry[1] if entry[0] == "node" else len(nodes) + 16 + entry[1]

    tree = b"".join(struct.pack(">II", record(left), record(right)) for left, right in nodes)
    about = {"node_count": len(nodes), "record_size": _number(UINT16, 32), "ip_version": _number(UINT16, 4),
             "database_type": kind, "languages": ["en"], "binary_format_major_version": _number(UINT16, 2),
             "binary_format_minor_version": _number(UINT16, 0), "build_epoch": _number(UINT64, 1), "description": {"en": "test"}}
    return tree + b"\0" * 16 + data + b"\xab\xcd\xefMaxMind.com" + _encode(about)
