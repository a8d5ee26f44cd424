"""Who is in the example: the office's own hosts and the sites on the Internet that they use.

Everything here is invented. The names are from the domains reserved for examples (RFC 2606, RFC
6761). The public addresses are picked from large, long-standing allocations, mostly university
networks, only so that a country database knows them: no host there is known to exist, none of them
did what the capture shows, and nothing was ever sent to them.
"""

from dataclasses import dataclass, field

from .wire import ip, mac

PREFIX_V4 = "192.168.20."
# The router translates this prefix to a public one (RFC 6296), as it does for IPv4.
PREFIX_V6 = "fd5c:20a7:9e31:10::"


@dataclass
class Host:
    """A machine in the office."""
    name: str
    mac: bytes
    v4: bytes
    v6: bytes
    link_local: bytes
    stack: str  # linux, windows or mac: decides TTL and TCP options
    open_ports: tuple = ()
    next_port: int = 0
    known_names: dict = field(default_factory=dict)  # name -> time in us until which it is cached

    @property
    def ttl(self):
        return 128 if self.stack == "windows" else 64


def office_host(name, number, stack, open_ports=()):
    address = bytes([0x02, 0x5C, 0x20, 0xA7, 0x10, number])
    return Host(name, address, ip(f"{PREFIX_V4}{number}"), ip(f"{PREFIX_V6}{number:x}"),
                ip(f"fe80::5c:20ff:fea7:10{number:02x}"), stack, open_ports,
                next_port=49152 + 97 * number % 8000)


ROUTER = office_host("router", 1, "linux", (53, 80, 443))
NAS = office_host("nas", 10, "linux", (22, 80, 443, 445, 873))
PRINTER = office_host("printer", 15, "linux", (80, 631, 9100))
CAMERA = office_host("camera", 31, "linux", (80, 554))
LAPTOP = office_host("laptop-7", 117, "mac")  # joins at four minutes past the hour
DESKS = [
    office_host("desk-1", 101, "windows", (445,)),
    office_host("desk-2", 102, "windows", (445,)),
    office_host("desk-3", 103, "linux", (22,)),
    office_host("desk-4", 104, "mac"),
    office_host("desk-5", 105, "windows", (445,)),
    office_host("desk-6", 106, "linux", (22,)),
]
PHONES = [office_host("phone-1", 121, "linux"), office_host("phone-2", 122, "mac")]
HOSTS = [ROUTER, NAS, PRINTER, CAMERA, LAPTOP, *DESKS, *PHONES]
BROADCAST_MAC = mac("ff:ff:ff:ff:ff:ff")


@dataclass(frozen=True)
class Site:
    """A server on the Internet."""
    name: str
    country: str
    v4: bytes
    v6: bytes
    rtt_us: int
    hops: int
    weight: int = 0  # share among what people browse to
    scheme: str = "tls13"  # tls13, tls12, http or quic
    alias_of: str = ""  # canonical name that the resolver answers with


def site(name, country, v4, rtt_ms, hops, weight=0, scheme="tls13", v6="", alias_of=""):
    return Site(name, country, ip(v4), ip(v6) if v6 else b"", int(rtt_ms * 1000), hops, weight,
                scheme, alias_of)


SITES = [
    # Europe: the office is in Germany
    site("www.shop.example", "DE", "141.30.61.20", 11.3, 8, 14, v6="2001:638:904:61::20",
         alias_of="edge-fra.cdn.example.net"),
    site("static.shop.example", "DE", "141.30.61.23", 11.1, 8, 10,
         alias_of="edge-fra.cdn.example.net"),
    site("news.daily.example", "GB", "129.67.44.12", 24.8, 11, 12),
    site("img.daily.example", "GB", "129.67.44.18", 24.6, 11, 5, "quic"),
    site("cdn.example.net", "NL", "145.97.39.155", 16.9, 9, 12, "quic", v6="2001:610:148:9::155"),
    site("maps.travel.example", "FR", "193.51.24.10", 19.7, 10, 7, v6="2001:660:3003:8::10"),
    site("bank.example", "CH", "129.132.19.216", 14.2, 9, 4, "tls12"),
    site("forum.gardening.example", "CZ", "147.32.3.39", 17.5, 10, 3, "http"),
    site("video.stream.example", "FI", "128.214.20.10", 33.9, 11, 3, "quic"),
    site("radio.stream.example", "IT", "151.100.17.20", 26.3, 12, 3, "http"),
    site("tickets.example", "ES", "161.116.100.2", 37.6, 13, 3, "tls12"),
    site("weather.example", "NO", "129.240.8.20", 31.2, 11, 4, "http"),
    # Americas
    site("api.example.com", "US", "128.32.155.30", 158.4, 17, 9, v6="2607:f140:0:81::30"),
    site("www.example.org", "US", "128.32.155.44", 157.9, 17, 4, "http"),
    site("docs.project.example", "CA", "142.103.59.20", 149.7, 16, 5),
    site("coffee.export.example", "BR", "143.107.249.34", 209.3, 18, 3, "tls12"),
    site("library.example.org", "AR", "157.92.24.9", 231.5, 19, 2),
    site("astro.example.org", "CL", "146.83.7.3", 238.8, 19, 2, "http"),
    site("museum.example.org", "MX", "132.248.10.44", 171.6, 18, 2),
    # Africa
    site("wine.example", "ZA", "137.158.154.30", 182.2, 16, 3, v6="2001:4200:fff:30::1"),
    site("safari.travel.example", "KE", "41.89.10.36", 163.8, 17, 2, "tls12"),
    site("archive.example.net", "EG", "193.227.1.10", 72.4, 14, 2, "http"),
    # Asia
    site("support.device.example", "IN", "14.139.56.20", 139.5, 16, 4),
    site("parts.maker.example", "JP", "133.11.24.100", 243.7, 18, 4, v6="2001:200:0:8803::53"),
    site("catalog.factory.example", "CN", "166.111.8.28", 214.9, 19, 4, "tls12"),
    site("games.example", "KR", "147.46.10.20", 251.1, 18, 2, "quic"),
    site("campus.example.org", "SG", "137.132.21.27", 169.4, 16, 2),
    site("trade.fair.example", "TR", "144.122.144.177", 56.2, 14, 2, "http"),
    # Oceania
    site("surf.travel.example", "AU", "130.102.13.44", 283.6, 19, 3, v6="2001:388:1034:2::44"),
    site("wool.example", "NZ", "130.216.159.127", 291.3, 20, 2),
]
SITE = {each.name: each for each in SITES + [
    site("mirror.example.net", "CA", "142.103.59.88", 149.9, 16, scheme="http"),
    site("backup.vault.example", "NL", "145.97.39.210", 17.2, 9),
    site("call.meet.example", "GB", "129.67.44.77", 24.1, 11),
    site("imap.mail.example", "DE", "130.75.2.3", 12.8, 9),
    site("push.device.example", "IN", "14.139.56.41", 139.9, 16),
    site("build.dev.example", "PL", "149.156.4.11", 22.4, 11),
    site("telemetry.camera.example", "US", "128.32.155.91", 158.9, 17, scheme="http"),
    site("ntp.time.example", "CH", "129.132.2.21", 14.0, 9),
    site("old.partner.example", "TR", "144.122.144.19", 57.0, 14),
]}

# Sends SYNs to the ports of the NAS, to which the router forwards what it knows nothing about.
SCANNER = ip("200.37.4.20")
SCANNER_COUNTRY = "PE"
SCANNER_RTT_US = 221400
