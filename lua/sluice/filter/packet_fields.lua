-- The fields of packets, named as Wireshark names them. All are of the outermost headers,
-- with --decap of the innermost ones; a protocol's name holds for all.

local cond = require "sluice.filter.cond"
local define = require "sluice.filter.define"

local d, all = define, cond.all
local met, is, holds, positive, hex = d.met, d.is, d.holds, d.positive, d.hex
local ETH, NET, L4, PAYLOAD = "p.eth_off", "p.net_off", "p.l4_off", "p.payload_off"
local TAG_8021Q, TAG_QINQ, TAG_8021AD = 0x8100, 0x9100, 0x88a8
local MPLS, MPLS_UPSTREAM = 0x8847, 0x8848
local MOST = 5 -- tags and labels that fields look at, each kind

-- Protocols of which only the presence is known.
local NAMED = {
  { "sll", "Linux cooked capture, v1 and v2", "SLL", "SLL2" },
  { "raw", "raw IP link layer", "RAW" },
  { "null", "BSD loopback link layer", "NULL" }, { "enc", "IPsec encapsulation log", "ENC" },
  { "pflog", "packet filter log", "PFLOG" }, { "nflog", "Linux netfilter log", "NFLOG" },
  { "pktap", "Apple's PKTAP", "PKTAP" }, { "ppi", "per-packet information", "PPI" },
  { "ppp", "PPP", "PPP" }, { "chdlc", "Cisco HDLC", "CHDLC" }, { "fr", "Frame Relay", "FR" },
  { "wlan", "IEEE 802.11", "WLAN" }, { "radiotap", "radiotap header", "RADIOTAP" },
  { "prism", "Prism header", "PRISM" }, { "wlancap", "AVS header", "WLANCAP" },
  { "vlan", "802.1Q tag", "VLAN" }, { "ieee8021ad", "802.1ad tag", "QINQ" },
  { "mpls", "MPLS label", "MPLS" }, { "pppoed", "PPPoE discovery", "PPPOED" },
  { "pppoes", "PPPoE session", "PPPOES" }, { "llc", "802.2 logical link control", "LLC" },
  { "rarp", "reverse ARP", "RARP" }, { "ipx", "IPX", "IPX" }, { "lldp", "LLDP", "LLDP" },
  { "eapol", "802.1X authentication", "EAPOL" }, { "loop", "Ethernet loopback test", "LOOP" },
  { "ah", "authentication header", "AH" }, { "udplite", "UDP-Lite", "UDPLITE" },
  { "dccp", "DCCP", "DCCP" }, { "igmp", "IGMP", "IGMP" }, { "gre", "GRE", "GRE" },
  { "esp", "encapsulating security payload", "ESP" }, { "ospf", "OSPF", "OSPF" },
  { "pim", "PIM", "PIM" }, { "vrrp", "VRRP", "VRRP" }, { "eigrp", "EIGRP", "EIGRP" },
  { "l2tp", "L2TP over IP", "L2TP" }, { "vxlan", "VXLAN, with --decap", "VXLAN" },
  { "geneve", "Geneve, with --decap", "GENEVE" }, { "gtp", "GTP-U, with --decap", "GTP" },
  { "teredo", "Teredo, with --decap", "TEREDO" }, { "erspan", "ERSPAN, with --decap", "ERSPAN" },
  { "etherip", "EtherIP, with --decap", "ETHERIP" },
}

local function named(add)
  for _, row in ipairs(NAMED) do
    add(d.protocol(row[1], met(unpack(row, 3)), row[2]))
  end
end

local function frame(add)
  local timed = is("p.no_time", 0)
  add(d.protocol("frame", cond.TRUE, "any packet", { off = "0", len = "p.caplen" }))
  add(d.any_number("frame.number", cond.TRUE, "frame number, from 1", "tonumber(p.number64)"))
  add(d.number("frame.len", cond.TRUE, 2 ^ 32 - 1, "bytes on the wire", "p.len"))
  add(d.number("frame.cap_len", cond.TRUE, 2 ^ 32 - 1, "captured bytes", "p.caplen"))
  add(d.time("frame.time", timed, "time stamp, as a date or as seconds since 1970", "p.ts"))
  add(d.time("frame.time_epoch", timed, "the same", "p.ts"))
  add(d.any_number("frame.time_relative", timed, "seconds since the first packet",
    "(floor(p.t * 1e9 + 0.5) / 1e9)", true))
  add(d.any_number("frame.time_delta", timed, "seconds since the packet before in the capture",
    "(floor(p.delta * 1e9 + 0.5) / 1e9)", true))
  add(d.number("frame.interface_id", cond.TRUE, 65535, "interface in its pcapng section",
    "p.iface"))
end

local function ethernet(add)
  local eth = all { met "ETH", holds(ETH, 14) }
  local etype = d.u16(ETH, 12)
  add(d.protocol("eth", met "ETH", "Ethernet",
    { off = ETH, len = 14, search = "(p.caplen - p.eth_off)", inside = holds(ETH, 14) }))
  add(d.ether("eth.dst", eth, "destination", ETH))
  add(d.ether("eth.src", eth, "source", ETH .. " + 6"))
  add(d.ether("eth.addr", eth, "destination or source", ETH, ETH .. " + 6"))
  add(hex(4, d.read("eth.type", all { eth, cond.test(("(%s >= 1536)"):format(etype)) }, 65535,
    "ethertype", etype)))
  add(d.read("eth.len", all { eth, cond.test(("(%s < 1536)"):format(etype)) }, 65535,
    "length of an 802.3 frame", etype))
end

-- Where the tags of two ethertypes begin, one behind the other, as Lua source.
local function tag_places(a, b)
  local places = { ("f_tag(p, p.eth_off + 12, %d, %d)"):format(a, b) }
  for i = 2, MOST do places[i] = ("f_next_tag(p, %s, %d, %d)"):format(places[i - 1], a, b) end
  return places
end

local function label_places()
  local places = { tag_places(MPLS, MPLS_UPSTREAM)[1] }
  for i = 2, MOST do places[i] = ("f_label(p, %s)"):format(places[i - 1]) end
  return places
end

-- Adds fields of the tags at `places`: value(at) is the Lua source of one.
local function tag_fields(add, proto, places)
  local guard = all { met(proto, "ETH"), met(proto) }
  return function(name, max, about, value, present)
    local exprs = {}
    for i, at in ipairs(places) do exprs[i] = value(at) end
    local field = d.read(name, guard, max, about, unpack(exprs))
    for i, at in ipairs(places) do
      field.alts[i].present = all { cond.test(("(%s > 0)"):format(at)),
        present and present(at) or cond.TRUE }
    end
    add(field)
    return field
  end
end

local function tag_id(at)
  return "band(" .. d.u16(at, 0) .. ", 4095)"
end

local function tag_etype(at)
  return d.u16(at, 2)
end

local function tags(add)
  for _, tag in ipairs { { "vlan", "VLAN", "802.1Q", TAG_8021Q, TAG_QINQ },
    { "ieee8021ad", "QINQ", "802.1ad", TAG_8021AD, TAG_8021AD } } do
    local name, field = tag[1], tag_fields(add, tag[2], tag_places(tag[4], tag[5]))
    local id = field(name .. ".id", 4095, "VLAN of an " .. tag[3] .. " tag", tag_id)
    if name == "vlan" then -- decode knows the first one, also where there is no Ethernet header
      id.guard = met "VLAN"
      id.alts[1] = { expr = "p.vlan_id", range = "small", max = 4095 }
    end
    field(name .. ".priority", 7, "priority code point", function(at)
      return "rshift(" .. d.u8(at, 0) .. ", 5)"
    end)
    field(name .. ".dei", 1, "drop eligible", function(at)
      return "band(rshift(" .. d.u8(at, 0) .. ", 4), 1)"
    end).boolean = true
    hex(4, field(name .. ".etype", 65535, "ethertype behind the tag", tag_etype, function(at)
      return cond.test(("(%s >= 1536)"):format(tag_etype(at)))
    end))
  end
end

-- RFC 3032.
local function mpls(add)
  local field = tag_fields(add, "MPLS", label_places())
  field("mpls.label", 2 ^ 20 - 1, "label, the outermost one first", function(at)
    return "rshift(" .. d.u32(at, 0) .. ", 12)"
  end)
  field("mpls.exp", 7, "its traffic class", function(at)
    return "band(rshift(" .. d.u8(at, 2) .. ", 1), 7)"
  end)
  field("mpls.bottom", 1, "it is the last label", function(at)
    return "band(" .. d.u8(at, 2) .. ", 1)"
  end).boolean = true
  field("mpls.ttl", 255, "its time to live", function(at) return d.u8(at, 3) end)
end

local function arp(add)
  local met_arp = met("ARP", "RARP")
  -- Ethernet and IPv4 addresses: hardware length 6, protocol length 4.
  local known = all { met_arp, holds(NET, 28),
    cond.test(("(%s == 6 and %s == 4)"):format(d.u8(NET, 4), d.u8(NET, 5))) }
  local header = all { met_arp, holds(NET, 8) }
  add(d.protocol("arp", met_arp, "ARP, also reverse ARP",
    { off = NET, len = 28, search = "(p.caplen - p.net_off)", inside = known }))
  add(d.read("arp.hw.type", header, 65535, "hardware type", d.u16(NET, 0)))
  add(hex(4, d.read("arp.proto.type", header, 65535, "protocol type", d.u16(NET, 2))))
  add(d.number("arp.opcode", header, 65535, "1 request, 2 reply", "p.arp_op"))
  add(d.ether("arp.src.hw_mac", known, "sender's MAC address", NET .. " + 8"))
  add(d.ipv4("arp.src.proto_ipv4", known, "sender's IPv4 address", { "p.src", NET .. " + 14" }))
  add(d.ether("arp.dst.hw_mac", known, "target's MAC address", NET .. " + 18"))
  add(d.ipv4("arp.dst.proto_ipv4", known, "target's IPv4 address", { "p.dst", NET .. " + 24" }))
end

local function ip(add)
  local v4 = is("p.ip_version", 4) -- all 20 bytes were captured and make sense
  local src, dst = { "p.src", NET .. " + 12" }, { "p.dst", NET .. " + 16" }
  local first = d.u8(NET, 0)
  add(d.protocol("ip", met "IP", "IPv4", { off = NET,
    len = "(band(" .. first .. ", 15) * 4)", search = "f_span(p, p.net_off, p.net_off + p.ip_len)",
    inside = all { v4, cond.test(("(p.net_off + band(%s, 15) * 4 <= p.caplen)"):format(first)) } }))
  add(d.number("ip.version", positive "p.ip_version", 15, "4, or 6 of an IPv6 packet",
    "p.ip_version"))
  add(d.read("ip.hdr_len", v4, 60, "header length, bytes", "(band(" .. first .. ", 15) * 4)"))
  add(hex(2, d.number("ip.dsfield", v4, 255, "DSCP and ECN", "p.tos")))
  add(d.number("ip.dsfield.dscp", v4, 63, "differentiated services code point",
    "rshift(p.tos, 2)"))
  add(d.number("ip.dsfield.ecn", v4, 3, "explicit congestion notification", "band(p.tos, 3)"))
  add(d.number("ip.len", v4, 2 ^ 32 - 1, "whole IP packet on the wire, bytes", "p.ip_len"))
  add(hex(4, d.number("ip.id", v4, 65535, "identification", "p.ip_id")))
  add(hex(2, d.read("ip.flags", v4, 7, "the three flags as a number",
    "rshift(" .. d.u8(NET, 6) .. ", 5)")))
  add(d.deferred(d.flag("ip.flags.rb", v4, "reserved bit", d.u8(NET, 6), 128)))
  add(d.deferred(d.flag("ip.flags.df", v4, "do not fragment", d.u8(NET, 6), 64)))
  add(d.flag("ip.flags.mf", v4, "more fragments follow", "p.frag_more", 1))
  add(d.number("ip.frag_offset", v4, 8191, "fragment offset in units of 8 bytes",
    "rshift(p.frag_offset, 3)"))
  add(d.number("ip.ttl", v4, 255, "time to live", "p.ttl"))
  local proto = d.read("ip.proto", v4, 255, "protocol number or name", d.u8(NET, 9))
  proto.names = require "sluice.filter.ip_protocols"
  add(proto)
  add(hex(4, d.read("ip.checksum", v4, 65535, "header checksum", d.u16(NET, 10))))
  add(d.ipv4("ip.src", v4, "source", src))
  add(d.ipv4("ip.dst", v4, "destination", dst))
  add(d.ipv4("ip.addr", v4, "source or destination", src, dst))
end

local function ipv6(add)
  local v6 = is("p.ip_version", 6) -- all 40 bytes were captured
  local src, dst = { "p.src", NET .. " + 8" }, { "p.dst", NET .. " + 24" }
  add(d.protocol("ipv6", met "IPV6", "IPv6", { off = NET, len = 40,
    search = "f_span(p, p.net_off, p.net_off + p.ip_len)", inside = v6 }))
  add(d.read("ipv6.version", v6, 15, "6", "rshift(" .. d.u8(NET, 0) .. ", 4)"))
  add(hex(8, d.number("ipv6.tclass", v6, 255, "traffic class", "p.tos")))
  add(d.number("ipv6.tclass.dscp", v6, 63, "differentiated services code point",
    "rshift(p.tos, 2)"))
  add(d.number("ipv6.tclass.ecn", v6, 3, "explicit congestion notification", "band(p.tos, 3)"))
  add(hex(6, d.read("ipv6.flow", v6, 2 ^ 20 - 1, "flow label",
    "(band(" .. d.u8(NET, 1) .. ", 15) * 65536 + " .. d.u16(NET, 2) .. ")")))
  add(d.read("ipv6.plen", v6, 65535, "payload length, bytes", d.u16(NET, 4)))
  local nxt = d.read("ipv6.nxt", v6, 255, "next header, number or name", d.u8(NET, 6))
  nxt.names = require "sluice.filter.ip_protocols"
  add(nxt)
  add(d.number("ipv6.hlim", v6, 255, "hop limit", "p.ttl"))
  add(d.ipv6("ipv6.src", v6, "source", src))
  add(d.ipv6("ipv6.dst", v6, "destination", dst))
  add(d.ipv6("ipv6.addr", v6, "source or destination", src, dst))
end

local L4_ALL = "p.l4_cap"

-- The first n bytes of the transport header were captured.
local function l4(n)
  return cond.sign(("%d - p.l4_cap"):format(n - 1))
end

local function icmp(add)
  for _, v in ipairs { { "icmp", "ICMP", "ICMP" }, { "icmpv6", "ICMPV6", "ICMPv6" } } do
    local name, proto = v[1], met(v[2])
    add(d.protocol(name, proto, v[3], { off = L4, len = L4_ALL }))
    add(d.number(name .. ".type", all { proto, l4(1) }, 255, "type", "p.icmp_type"))
    add(d.number(name .. ".code", all { proto, l4(2) }, 255, "code", "p.icmp_code"))
    add(hex(4, d.read(name .. ".checksum", all { proto, l4(4) }, 65535, "checksum", d.u16(L4, 2))))
  end
  -- RFC 792: echo, timestamp and information; RFC 950: address mask.
  local echo = all { met "ICMP", l4(8),
    d.one_of("p.icmp_type", { 0, 8, 13, 14, 15, 16, 17, 18 }) }
  add(d.read("icmp.ident", echo, 65535, "identifier", d.u16(L4, 4)))
  add(d.read("icmp.seq", echo, 65535, "sequence number", d.u16(L4, 6)))
  local echo6 = all { met "ICMPV6", l4(8),
    cond.any { is("p.icmp_type", 128), is("p.icmp_type", 129) } }
  add(hex(4, d.read("icmpv6.echo.identifier", echo6, 65535, "identifier", d.u16(L4, 4))))
  add(d.read("icmpv6.echo.sequence_number", echo6, 65535, "sequence number", d.u16(L4, 6)))
end

local TCP_FLAGS = {
  { "fin", 1 }, { "syn", 2 }, { "reset", 4 }, { "push", 8 }, { "ack", 16 }, { "urg", 32 },
  { "ece", 64 }, { "cwr", 128 }, { "ae", 256 },
}

local function ports(add, name, proto)
  add(d.number(name .. ".srcport", proto, 65535, "source port", "p.sport"))
  add(d.number(name .. ".dstport", proto, 65535, "destination port", "p.dport"))
  add(d.number(name .. ".port", proto, 65535, "source or destination port", "p.sport", "p.dport"))
end

local function tcp(add)
  local proto = met "TCP"
  local function header(n)
    return all { proto, l4(n) }
  end
  local sound = all { proto, positive(PAYLOAD) }
  add(d.protocol("tcp", proto, "TCP; its bytes: header and payload", { off = L4, len = L4_ALL }))
  ports(add, "tcp", proto)
  add(d.number("tcp.seq_raw", header(8), 2 ^ 32 - 1, "sequence number as in the header", "p.seq"))
  add(d.number("tcp.ack_raw", header(12), 2 ^ 32 - 1, "acknowledgment number as in the header",
    "p.ack"))
  add(d.read("tcp.hdr_len", header(13), 60, "header length, bytes",
    "(rshift(" .. d.u8(L4, 12) .. ", 4) * 4)"))
  add(hex(4, d.read("tcp.flags", header(14), 4095, "the flags, and reserved bits, as a number",
    "band(" .. d.u16(L4, 12) .. ", 4095)")))
  for _, flag in ipairs(TCP_FLAGS) do
    add(d.flag("tcp.flags." .. flag[1], header(14), flag[1]:upper(), "p.tcp_flags", flag[2]))
  end
  add(d.number("tcp.window_size_value", header(16), 65535, "window as in the header", "p.window"))
  add(hex(4, d.read("tcp.checksum", header(18), 65535, "checksum", d.u16(L4, 16))))
  add(d.read("tcp.urgent_pointer", header(20), 65535, "urgent pointer", d.u16(L4, 18)))
  add(d.number("tcp.len", sound, 2 ^ 32 - 1, "bytes of payload on the wire", "p.payload_len"))
  local options = "(p.payload_off - p.l4_off - 20)"
  add(d.bytes("tcp.options", all { sound, positive(options),
    cond.sign("p.payload_off - p.caplen - 1") }, "options", L4 .. " + 20", options))
  add(d.bytes("tcp.payload", all { proto, positive "p.payload_cap" }, "captured payload", PAYLOAD,
    "p.payload_cap"))
end

local function udp(add)
  local proto = met "UDP"
  add(d.protocol("udp", met("UDP", "TUNNEL_UDP"), "UDP", { off = L4, inside = proto,
    len = "f_span(p, p.l4_off, p.payload_off)", search = L4_ALL }))
  ports(add, "udp", proto)
  add(d.read("udp.length", all { proto, l4(6) }, 65535, "length in the header, bytes",
    d.u16(L4, 4)))
  add(hex(4, d.read("udp.checksum", all { proto, l4(8) }, 65535, "checksum", d.u16(L4, 6))))
  add(d.bytes("udp.payload", all { proto, positive "p.payload_cap" }, "captured payload", PAYLOAD,
    "p.payload_cap"))
end

local function sctp(add)
  local proto = met "SCTP"
  add(d.protocol("sctp", proto, "SCTP; its bytes: header and chunks",
    { off = L4, len = L4_ALL }))
  ports(add, "sctp", proto)
  add(hex(8, d.read("sctp.verification_tag", all { proto, l4(8) }, 2 ^ 32 - 1, "verification tag",
    d.u32(L4, 4))))
end

local function geo(add)
  local known = positive "p.ip_version"
  add(d.text("geo.src_country", known, "country of the source: two letters, or private, unknown …",
    "country(p.src)"))
  add(d.text("geo.dst_country", known, "country of the destination", "country(p.dst)"))
  add(d.text("geo.country", known, "country of either", "country(p.src)", "country(p.dst)"))
end

return { frame, ethernet, named, tags, mpls, arp, ip, ipv6, icmp, tcp, udp, sctp, geo }
