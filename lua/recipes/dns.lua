-- What was asked of DNS servers, and what failed: names read off the payload (RFC 1035, section 4).
local ffi = require "ffi"

local CODES = { [1] = "format error", [2] = "server failure", [3] = "no such name",
  [4] = "not implemented", [5] = "refused" }
local TYPES = { [1] = "A", [2] = "NS", [5] = "CNAME", [6] = "SOA", [12] = "PTR", [15] = "MX",
  [16] = "TXT", [28] = "AAAA", [33] = "SRV", [64] = "SVCB", [65] = "HTTPS", [255] = "ANY" }
local NAME = 12 -- where the first question's name begins

-- The name at NAME in small letters, and what follows it; nil where there is no whole one. A
-- question's name is never compressed.
local function question(v)
  local text, n, at = ffi.new "uint8_t[256]", 0, NAME
  while true do
    local length = v:u8(at)
    if not length or length > 63 or n + length > 253 then return nil end
    if length == 0 then break end
    if at + length >= v.size then return nil end
    if n > 0 then
      text[n] = 46 -- "."
      n = n + 1
    end
    for i = at + 1, at + length do
      local c = v.data[i]
      if c >= 65 and c <= 90 then c = c + 32 end
      text[n] = c
      n = n + 1
    end
    at = at + 1 + length
  end
  if n == 0 then return ".", at + 1 end
  return ffi.string(text, n), at + 1
end

return {
  about = "DNS: names asked for, failures, servers",
  options = { top = { default = 20, about = "names to show" } },
  filter = "udp.port == 53",
  start = function(opt)
    local asked = count { "queries by name", key = "name:string" }
    local types = count { "queries by type", key = "type" }
    local failed = count { "failures by name", key = { "name:string", "code" } }
    local servers = count { "answers by server", key = { "server:address", "code" } }
    return {
      packet = function(p)
        local v = p.payload
        local flags = v:u16(2)
        if not flags or v:u16(4) ~= 1 then return end
        local name, behind = question(v)
        if not name then return end
        if flags < 0x8000 then
          asked:add(name)
          types:add(v:u16(behind) or 0)
        else
          local code = flags % 16
          servers:add(p.src, code)
          if code > 0 then failed:add(name, code) end
        end
      end,
      finish = function(out)
        out:bars { title = "Names asked for", rows = asked:top(opt.top), value = "queries" }
        local rows = types:top(opt.top)
        for _, r in ipairs(rows) do r[1] = TYPES[r[1]] or "type " .. r[1] end
        out:bars { title = "Types asked for", rows = rows, label = "type", value = "queries" }
        rows = failed:top(opt.top)
        for _, r in ipairs(rows) do r[2] = CODES[r[2]] or "code " .. r[2] end
        out:table { title = "Failures", rows = rows, total = rows.total, chart = "answers",
          columns = { "name", "failure", { name = "answers", type = "number" } } }
        rows = servers:top(opt.top)
        for _, r in ipairs(rows) do
          r[2] = r[2] == 0 and "answered" or CODES[r[2]] or "code " .. r[2]
        end
        out:table { title = "Servers", rows = rows, total = rows.total, columns = {
          { name = "server", type = "address" }, "result", { name = "answers", type = "number" } } }
      end,
    }
  end,
}
