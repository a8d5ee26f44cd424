-- What routers and hosts complain of: ICMP errors by sender, and whose packets they are about,
-- which the error quotes (RFC 792, RFC 4443).
local ERRORS = { [3] = "unreachable", [4] = "source quench", [5] = "redirect",
  [11] = "time exceeded", [12] = "parameter problem", [257] = "unreachable (v6)",
  [258] = "packet too big", [259] = "time exceeded (v6)", [260] = "parameter problem (v6)" }
local CODES = { "net", "host", "protocol", "port", "fragmentation needed" }

return {
  about = "ICMP errors: who complains of what",
  filter = "icmp || icmpv6",
  start = function()
    local errors = count { "errors", key = { "teller:address", "kind", "told:address" } }
    return {
      packet = function(p)
        local kind = p.icmp_type + (p.ip_version == 6 and 256 or 0)
        if ERRORS[kind] then errors:add(p.src, kind * 256 + p.icmp_code, p.dst) end
      end,
      finish = function(out)
        local rows = {}
        for i, r in ipairs(errors:top(50)) do
          local kind, code = math.floor(r[2] / 256), r[2] % 256
          local what = kind == 3 and CODES[code + 1] or ("code %d"):format(code)
          rows[i] = { ERRORS[kind], what, r[1], r[3], r[4] }
        end
        out:table { title = "ICMP errors", rows = rows, columns = { "error", "what",
          { name = "teller", type = "address" }, { name = "told", type = "address" },
          { name = "packets", unit = "packets" } } }
      end,
    }
  end,
}
