-- What runs in which VLAN: bytes by tag and protocol.
local function labels(rows, column)
  local list, seen = {}, {}
  for _, row in ipairs(rows) do
    if not seen[row[column]] then list[#list + 1], seen[row[column]] = row[column], true end
  end
  return list
end
return {
  about = "bytes by VLAN and protocol",
  start = function()
    local bytes = sum { "bytes", key = { "vlan", "protocol:string" } }
    return {
      packet = function(p)
        bytes:add(p.vlan_id, p.ip_version > 0 and p.proto_name or p.network, p.len)
      end,
      finish = function(out)
        local rows = bytes:rows()
        for _, row in ipairs(rows) do row[1] = row[1] == 65535 and "none" or tostring(row[1]) end
        out:heatmap { title = "Bytes by VLAN and protocol", rows = rows,
          y = labels(rows, 1), x = labels(rows, 2),
          columns = { "vlan", "protocol", { name = "bytes", unit = "bytes" } } }
      end,
    }
  end,
}
