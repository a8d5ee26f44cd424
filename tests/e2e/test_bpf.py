"""-f against truth.json: the counts of display filters that can be said in libpcap's language."""
import concurrent.futures
import json

from support import compressed, each_capture, fragmented, path_of, plain, supported, whole

# libpcap looks at fixed places: its "tcp" of IPv6 passes no extension header, tcp[…] is of IPv4 only.
SAID = {
    "ip": "ip",
    "ipv6": "ip6",
    "tcp": "tcp",
    "udp": "udp",
    "icmp": "icmp",
    "arp": "arp",
    "not ip and not ipv6": "not ip and not ip6",
    "!(arp)": "not arp",
    "udp.port==53": "udp port 53",
    "tcp.port==80 || tcp.port==443": "tcp port 80 or tcp port 443",
    "tcp.port in {80, 443, 8080}": "tcp and (port 80 or port 443 or port 8080)",
    "ip.addr==10.0.0.0/8": "ip and net 10.0.0.0/8",
    "ip.src==192.168.0.0/16": "ip and src net 192.168.0.0/16",
    "ip.dst==224.0.0.0/4": "ip and dst net 224.0.0.0/4",
    "ip.ttl<64": "ip[8] < 64",
    "ip.len>=1400": "ip[2:2] >= 1400",
    "ip.flags.mf==1 || ip.frag_offset>0": "ip[6:2] & 0x3fff != 0",
    "ip.proto==47": "ip proto 47",
    "ipv6.addr==fe80::/10": "ip6 net fe80::/10",
    "ipv6.hlim==255": "ip6[7] = 255",
    "frame.len>1000": "len > 1000",
    "frame.len<=64": "len <= 64",
    "icmp.type==8": "icmp[0] = 8",
}
ONLY_IPV4 = {
    "tcp.flags.syn==1 && tcp.flags.ack==0": "tcp[13] & 18 = 2",
    "tcp.flags.syn==1 && tcp.flags.ack==1": "tcp[13] & 18 = 18",
    "tcp.flags.reset==1": "tcp[13] & 4 != 0",
    "tcp.flags.fin==1": "tcp[13] & 1 != 0",
    "tcp.window_size_value<1024": "tcp[14:2] < 1024",
    "udp.length>512": "udp[4:2] > 512",
}
ETHERNET = 1  # wiretap's number

# (file, filter): (count of truth.json, sluice's, why).
EXCEPTIONS = {
    ("big-tcp-ip-length-0.pcap", "ip.len>=1400"):
        (1, 0, "frame 1: its IP length is 0, and tshark shows what it works out"),
    ("ipv6-extension-headers.pcap", "udp"): (2, 0, "frames 3 and 6: UDP behind a routing and an options header"),
    ("malformed/zero-length-packets.pcap", "!(arp)"): (38, 1, "frames 2 to 38 are empty: libpcap rejects what it cannot load"),
    ("malformed/zero-length-packets.pcap", "not ip and not ipv6"): (37, 0, "the same"),
    ("p2p-502-public-ips.pcap", "!(arp)"): (3883, 3882, "frame 1 has 4 bytes, no ethertype to load"),
    ("p2p-502-public-ips.pcap", "not ip and not ipv6"): (23, 22, "the same"),
}


def same_places(entry):
    """Ethernet without tags or tunnels below IP."""
    below = {"vlan", "mpls", "pppoes", "llc", "wlan", "gre", "geneve", "vxlan", "gtp", "ipx"}
    return set(entry["encap_types"]) == {str(ETHERNET)} and not below & set(entry["protocols"])


def count(sluice, path, bpf):
    done = sluice("count", path, "-f", bpf, "-T", "json")
    assert done.returncode == 0, (bpf, done.stderr)
    return json.loads(done.stdout)["packets"]


@each_capture(supported, plain, whole, same_places, lambda entry: not compressed(entry) and entry["packets"] > 0,
              lambda entry: not fragmented(entry))
def test_as_truth_counts(sluice, entry):
    said = dict(SAID, **({} if "ipv6" in entry["protocols"] else ONLY_IPV4))
    want = {row["filter"]: row["outer"] for row in entry["filters"] if row["filter"] in said and row["outer"]}
    assert want
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        got = dict(zip(want, pool.map(lambda name: count(sluice, path_of(entry), said[name]), want)))
    differ = {name: (want[name], got[name]) for name in want if want[name] != got[name]}
    assert differ == {name: case[:2] for (file, name), case in EXCEPTIONS.items() if file == entry["file"]}
