-- What runs in which VLAN: bytes by tag and protocol.
local bytes = sum { "bytes", key = { "vlan:string", "protocol:string" } }
return {
  about = "bytes by VLAN and protocol",
  packet = function(p)
    local vlan = p.vlan_id == 65535 and "none" or tostring(p.vlan_id)
    bytes:add(vlan, p.ip_version > 0 and p.proto_name or p.network, p.len)
  end,
  finish = function(out)
    out:heatmap { title = "Bytes by VLAN and protocol", rows = bytes:rows() }
  end,
}
