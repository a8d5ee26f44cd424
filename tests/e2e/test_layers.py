"""Link types and tunnels, on frames made here: what sluice finds in them is what tshark finds."""
import json
import shutil
import subprocess

import pytest

import build
import support
from build import LINKS, TUNNELS, V4, V6
from support import each_capture, path_of, plain

FIRST_PORT = 1000
SRC = {V4[0], V6[0]}

# Frames in which tshark 4.0 does not find the packet, and why.
NOT_TSHARKS = {
    "chdlc with direction": "it does not know link type 205",
    "frame relay with direction": "it does not know link type 206",
    "mpls": "it does not know link type 219",
    "nflog big-endian": "it takes the attributes for little-endian",
    "vxlan of linux": "it knows VXLAN by port 4789 only",
}


def packed(frames):
    """The pcapng of a table of makers; frame i carries source port FIRST_PORT + i."""
    return build.pcapng([(link_type, make(FIRST_PORT + i)) for i, (link_type, make) in enumerate(frames.values())])


def packets(sluice, path, *more):
    done = sluice("packets", path, "-T", "json", *more)
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)


def innermost(path):
    """Of each frame what tshark shows last: (source, source port, destination port)."""
    columns = ["ip.src", "ipv6.src", "tcp.srcport", "tcp.dstport", "frame.protocols"]
    out = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=l", "-E", "separator=|"]
                         + [word for name in columns for word in ("-e", name)],
                         check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    rows = []
    for line in out.splitlines():
        v4, v6, sport, dport, protocols = line.split("|")
        v6_inside = protocols.rfind(":ipv6") > protocols.rfind(":ip:") if v4 and v6 else v6
        rows.append((v6 if v6_inside else v4, sport and int(sport), dport and int(dport)))
    return rows


@pytest.mark.parametrize("frames, options", [(LINKS, []), (TUNNELS, ["--decap"])], ids=["links", "tunnels"])
def test_every_frame_is_seen_through(sluice, tmp_path, frames, options):
    path = tmp_path / "frames.pcapng"
    path.write_bytes(packed(frames))
    got = {name: (p["src"], p["sport"], p["dport"]) for name, p in zip(frames, packets(sluice, path, *options))}
    assert len(got) == len(frames)
    for i, name in enumerate(frames):
        assert got[name][0] in SRC and got[name][1:] == (FIRST_PORT + i, 443), name


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
@pytest.mark.parametrize("frames, options", [(LINKS, []), (TUNNELS, ["--decap"])], ids=["links", "tunnels"])
def test_as_tshark_sees_it(sluice, tmp_path, frames, options):
    path = tmp_path / "frames.pcapng"
    path.write_bytes(packed(frames))
    mine = [(p["src"], p["sport"], p["dport"]) for p in packets(sluice, path, *options)]
    differ = {name for name, have, want in zip(frames, mine, innermost(path)) if have != want}
    assert differ == set(NOT_TSHARKS) & set(frames)


@each_capture(plain, lambda entry: entry["file"] in ("vxlan.pcap", "geneve-110-flows.pcap", "6in4-tunnel.pcap",
                                                    "gtp-u-cooked.pcap", "vlan-backbone-1148-public-ips.pcap"))
def test_real_tunnels(sluice, entry):
    """With --decap a packet counts for tcp, udp … when tshark sees one in any layer. Packets that ICMP errors
    quote are in no tunnel: tshark is asked for what stands before them."""
    got = json.loads(sluice("summary", path_of(entry), "--decap", "-T", "json").stdout)
    lines = subprocess.run(["tshark", "-n", "-o", "ip.defragment:FALSE", "-r", path_of(entry), "-T", "fields", "-e",
                            "frame.protocols"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    frames = []
    for line in lines.stdout.decode().splitlines():
        names = line.split(":")
        quoted = min([names.index(name) for name in ("icmp", "icmpv6") if name in names], default=len(names))
        frames.append(set(names[:quoted + 1]))
    for name in ("ip", "ipv6", "arp", "tcp", "udp", "icmp", "icmpv6", "gre", "vxlan", "geneve", "gtp"):
        want = sum(name in frame for frame in frames)
        assert got["protocols"].get(name, {"packets": 0})["packets"] == want, name
    assert sum(got["network"].values()) + sum(got["skipped"].values()) == got["packets"]


def test_without_decap_the_outer_packet_counts(sluice, tmp_path):
    path = tmp_path / "tunnels.pcapng"
    path.write_bytes(packed(TUNNELS))
    outer = set(build.OUTER4 + build.OUTER6)
    assert {end for p in packets(sluice, path) for end in (p["src"], p["dst"])} == outer
    flows = [json.loads(line) for line in sluice("flows", path, "--decap", "-T", "jsonl").stdout.splitlines()]
    assert len(flows) == len(TUNNELS) and {flow["proto"] for flow in flows} == {"tcp"}


# Filter: the names of the tunnels that pass with --decap.
VXLAN = {"vxlan", "vxlan of linux", "vxlan of a tag", "vxlan gpe", "four in one another"}
OVER_UDP = VXLAN | {name for name in TUNNELS if name.startswith(("geneve", "gtp", "teredo"))}
INSIDE = {
    "tcp.dstport == 443": set(TUNNELS),
    "udp": OVER_UDP,
    "udp.port == 4789 || udp.srcport == 8080 || udp.length > 0": set(),
    "vxlan": VXLAN,
    "geneve or gtp or teredo": OVER_UDP - VXLAN,
    "erspan": {name for name in TUNNELS if name.startswith("erspan")},
    "ip.addr == 10.0.0.0/8": set(),
    "vlan.id == 9 && vlan.etype == 0x800": {"vxlan of a tag"},
    "eth.src == 02:00:00:00:00:02 && eth.type == 0x86dd && ipv6.src == 2001:db8::1": {
        "6in6", "erspan III, platform", "vxlan of linux"},
    "eth.type == 0x800 && sll": {"under sll"},
}


@pytest.mark.parametrize("expression", INSIDE)
def test_filters_see_the_inner_headers(sluice, tmp_path, expression):
    path = tmp_path / "tunnels.pcapng"
    path.write_bytes(packed(TUNNELS))
    names = list(TUNNELS)
    got = {names[p["number"] - 1] for p in packets(sluice, path, "--decap", "-Y", expression)}
    assert got == INSIDE[expression]


def test_fragments_are_not_looked_into(sluice, tmp_path):
    whole = build.gre(0x0800, build.tcp4(1000))
    frames = [whole[:20] + flags + whole[22:] for flags in (b"\0\0", b"\x20\0", b"\0\x05")]
    path = tmp_path / "fragments.pcapng"
    path.write_bytes(build.pcapng([(1, frame) for frame in frames]))
    assert [p["src"] for p in packets(sluice, path, "--decap")] == [V4[0], "10.0.0.1", "10.0.0.1"]


def test_a_tunnel_that_is_cut_is_not_entered(sluice, tmp_path):
    """Each tunnel cut at each byte: the packet inside with its ports, or the outer one."""
    path = tmp_path / "cut.pcapng"
    frames = [(link_type, make(1000)[:-cut]) for link_type, make in TUNNELS.values() for cut in range(1, 60)]
    path.write_bytes(build.pcapng(frames))
    for p in packets(sluice, path, "--decap"):
        if p["src"] in SRC:
            assert (p["sport"], p["dport"]) == (1000, 443)


WLAN = {"beacon": build.wlan(0x80, b"\0" * 12, flags=0), "acknowledgment": b"\xd4\0\0\0" + build.MACS[:6],
        "no data": build.wlan(0x48, b""), "protected": build.wlan(0x08, build.snap(build.tcp4(1)), flags=0x41)}


def test_wlan_without_network_is_named(sluice, tmp_path):
    path = tmp_path / "wlan.pcap"
    path.write_bytes(support.pcap([(0, 0, frame) for frame in WLAN.values()], link_type=105))
    got = json.loads(sluice("summary", path, "-T", "json").stdout)
    assert (got["network"], got["skipped"], got["incomplete"]) == ({"wlan": len(WLAN)}, {}, {})
    assert got["link_types"] == ["IEEE802_11"]


@pytest.mark.parametrize("number, name", [(147, "USER0"), (162, "USER15"), (189, "USB_LINUX"), (220, "USB_LINUX_MMAPPED"),
                                          (187, "BLUETOOTH_HCI_H4"), (201, "BLUETOOTH_HCI_H4_WITH_PHDR"),
                                          (249, "USBPCAP"), (195, "IEEE802_15_4"), (2999, "LINKTYPE_2999")])
def test_other_link_types_are_counted_and_named(sluice, tmp_path, number, name):
    path = tmp_path / "other.pcap"
    path.write_bytes(support.pcap([(0, 0, build.tcp4(1)), (1, 0, b"")], link_type=number))
    done = sluice("summary", path, "-T", "json")
    got = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (got["packets"], got["link_types"], got["skipped"]) == (2, [name], {"unknown link type": 2})
    for recipe in ("flows", "packets", "protocols"):
        assert sluice(recipe, path).returncode == 0
