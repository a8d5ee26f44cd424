-- Names that Wireshark's filters know and these do not, and what to ask for instead.

-- Protocols that are told by a port here: IANA's registry of service names and port numbers.
local PORTS = {
  bgp = { "tcp", 179 }, dhcp = { "udp", 67 }, dhcpv6 = { "udp", 547 }, dns = { "udp", 53 },
  ftp = { "tcp", 21 }, http = { "tcp", 80 }, http2 = { "tcp", 443 }, imap = { "tcp", 143 },
  isakmp = { "udp", 500 }, kerberos = { "tcp", 88 }, ldap = { "tcp", 389 },
  mdns = { "udp", 5353 }, mqtt = { "tcp", 1883 }, mysql = { "tcp", 3306 }, nbns = { "udp", 137 },
  nfs = { "tcp", 2049 }, ntp = { "udp", 123 }, pgsql = { "tcp", 5432 }, pop = { "tcp", 110 },
  quic = { "udp", 443 }, radius = { "udp", 1812 }, rdp = { "tcp", 3389 }, rtsp = { "tcp", 554 },
  sip = { "udp", 5060 }, smb = { "tcp", 445 }, smb2 = { "tcp", 445 }, smtp = { "tcp", 25 },
  snmp = { "udp", 161 }, ssdp = { "udp", 1900 }, ssh = { "tcp", 22 }, ssl = { "tcp", 443 },
  syslog = { "udp", 514 }, telnet = { "tcp", 23 }, tftp = { "udp", 69 }, tls = { "tcp", 443 },
}

local RETRANSMITTED = "flow.retransmitted_src > 0 || flow.retransmitted_dst > 0"
-- What flows know: conditions of -F.
local FLOWS = {
  ["tcp.analysis.retransmission"] = RETRANSMITTED,
  ["tcp.analysis.fast_retransmission"] = RETRANSMITTED,
  ["tcp.analysis.spurious_retransmission"] = RETRANSMITTED,
  ["tcp.analysis.lost_segment"] = "flow.missed_src > 0 || flow.missed_dst > 0",
  ["tcp.analysis.initial_rtt"] = "flow.rtt > 0.1",
  ["tcp.stream"] = "flow.number == 1",
  ["udp.stream"] = "flow.number == 1",
}

local elsewhere = {}

--- What to ask for instead of `word` in a filter over packets or flows (mode), or nil.
function elsewhere.hint(word, mode)
  local low = word:lower()
  local condition, port = FLOWS[low], PORTS[low:match "^[%w_]+"]
  if condition and mode == "packet" then
    return ("Flows know of it: -F '%s'."):format(condition)
  elseif condition then
    return ("Here: %s."):format(condition)
  elseif port and mode == "packet" then
    return ("There are no dissectors; by port: %s.port == %d."):format(port[1], port[2])
  elseif port then
    return ("There are no dissectors; by port: flow.port == %d."):format(port[2])
  end
end

return elsewhere
