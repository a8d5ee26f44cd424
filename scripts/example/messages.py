"""What the office says besides DNS and TLS: HTTP, SSH, DHCP, NTP, SSDP, STUN and RTP."""

import struct

WORDS = ("the office opens at nine and the printer is out of paper again so please send the report "
         "before lunch and tell the visitors that the meeting moved to the large room ").split()
AGENTS = {
    "linux": "Mozilla/5.0 (X11; Linux x86_64) ExampleBrowser/128.0",
    "windows": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) ExampleBrowser/128.0",
    "mac": "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.7) ExampleBrowser/128.0",
}


def prose(rng, size):
    """Plain text of exactly `size` bytes."""
    start = rng.randrange(len(WORDS))
    text = " ".join(WORDS[start:] + WORDS * (size // 100 + 2))
    return text[:size].encode()


def http_request(host, path, stack, method="GET", body=b"", agent=None):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}",
             f"User-Agent: {agent or AGENTS[stack]}", "Accept: */*", "Connection: keep-alive"]
    if body:
        lines += ["Content-Type: text/plain", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines + ["", ""]).encode() + body


def http_response(status, kind, body, server="nginx"):
    lines = [f"HTTP/1.1 {status}", f"Server: {server}", f"Content-Type: {kind}",
             f"Content-Length: {len(body)}", "Connection: keep-alive"]
    return "\r\n".join(lines + ["", ""]).encode() + body


def html(rng, title, size):
    head = f"<!doctype html><html><head><title>{title}</title></head><body><p>".encode()
    tail = b"</p></body></html>\n"
    return head + prose(rng, max(0, size - len(head) - len(tail))) + tail


def ssh_packet(kind, body):
    """An unencrypted SSH packet (RFC 4253 section 6)."""
    padding = 8 - (5 + 1 + len(body)) % 8
    padding += 8 if padding < 4 else 0
    return struct.pack("!IBB", 2 + len(body) + padding, padding, kind) + body + bytes(padding)


def ssh_string(data):
    return struct.pack("!I", len(data)) + data


def ssh_key_exchange_init(noise):
    cipher, digest = b"aes128-ctr", b"hmac-sha2-256"
    names = (b"curve25519-sha256", b"ssh-ed25519", cipher, cipher, digest, digest, b"none",
             b"none", b"", b"")
    return ssh_packet(20, noise(16) + b"".join(map(ssh_string, names)) + bytes(5))


def ssh_client_key(noise):
    return ssh_packet(30, ssh_string(noise(32)))


def ssh_server_key(noise):
    host_key = ssh_string(b"ssh-ed25519") + ssh_string(noise(32))
    signature = ssh_string(b"ssh-ed25519") + ssh_string(noise(64))
    body = ssh_string(host_key) + ssh_string(noise(32)) + ssh_string(signature)
    return ssh_packet(31, body) + ssh_packet(21, b"")


DHCP_DISCOVER, DHCP_OFFER, DHCP_REQUEST, DHCP_ACK = 1, 2, 3, 5


def dhcp(kind, transaction, client_mac, name, offered, server, resolver):
    """One message of RFC 2131; `offered` is the address under discussion, empty in a discover."""
    reply = kind in (DHCP_OFFER, DHCP_ACK)
    data = struct.pack("!BBBBIHH", 2 if reply else 1, 1, 6, 0, transaction, 0, 0x8000)
    data += bytes(4) + (offered if reply else bytes(4)) + (server if reply else bytes(4)) + bytes(4)
    data += client_mac.ljust(16, b"\0") + bytes(192) + bytes.fromhex("63825363")
    options = [(53, bytes([kind]))]
    if reply:
        options += [(54, server), (51, struct.pack("!I", 43200)), (1, b"\xff\xff\xff\0"),
                    (3, server), (6, resolver), (15, b"office.example")]
    else:
        options += [(61, b"\1" + client_mac), (12, name.encode()), (55, bytes([1, 3, 6, 15]))]
        if kind == DHCP_REQUEST:
            options += [(50, offered), (54, server)]
    data += b"".join(bytes([code, len(value)]) + value for code, value in options)
    return (data + b"\xff").ljust(300, b"\0")


def ntp(mode, stratum, times, noise):
    """Times are seconds since 1900: reference, origin, receive, transmit."""
    leap_version_mode = 4 << 3 | mode
    data = struct.pack("!BBbbII", leap_version_mode, stratum, 6, -23, 0x21, 0x2A0)
    data += b"\0\0\0\0" if mode == 3 else b"PPS\0"
    for time_s in times:
        data += struct.pack("!I", time_s) + (noise(4) if time_s else bytes(4))
    return data


def ssdp_search():
    return (b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n"
            b"MX: 1\r\nST: urn:dial-multiscreen-org:service:dial:1\r\n\r\n")


def ssdp_notify(address, name):
    return (f"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age=1800\r\n"
            f"LOCATION: http://{address}:80/device.xml\r\nNT: upnp:rootdevice\r\n"
            f"NTS: ssdp:alive\r\nSERVER: Linux UPnP/1.1 {name}/2.0\r\n"
            f"USN: uuid:5c20a710-0000-4000-8000-{name.encode().hex():0>12.12}::upnp:rootdevice"
            f"\r\n\r\n").encode()


def stun(kind, transaction, mapped=None, port=0):
    """A binding request (1) or success (0x101) of RFC 8489."""
    cookie = 0x2112A442
    body = b""
    if mapped:
        address = int.from_bytes(mapped, "big") ^ cookie
        body = struct.pack("!HHBBHI", 0x20, 8, 0, 1, port ^ cookie >> 16, address)
    return struct.pack("!HHI", kind, len(body), cookie) + transaction + body


def rtp(kind, sequence, stamp, source, payload):
    header = struct.pack("!BBHII", 0x80, kind, sequence & 0xFFFF, stamp & 0xFFFFFFFF, source)
    return header + payload
