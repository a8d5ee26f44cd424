-- Hosts that are asked in plain HTTP, and by what: the first request of each connection.
local METHODS = { "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT" }

local function method_of(v)
  for i = 1, #METHODS do
    if v:starts(METHODS[i] .. " ") then return METHODS[i] end
  end
  return nil
end

-- What stands behind "\r\nHost:" up to the end of its line, without the space before it.
local function header(v, name)
  local at = v:find(name)
  if not at then return nil end
  at = at + #name
  local to = v:find("\r\n", at) or v.size
  while v:u8(at) == 32 do at = at + 1 end
  return v:text(at, to - at)
end

return {
  about = "plain HTTP: hosts, methods and programs of the first request of each connection",
  options = { top = { default = 20, about = "hosts to show" } },
  filter = "tcp",
  head = 2048,
  start = function(opt)
    local hosts = count { "connections by host", key = "host:string" }
    local bytes = sum { "bytes by host", key = "host:string" }
    local methods = count { "connections by method", key = "method:string" }
    local agents = count { "connections by program", key = "program:string" }
    return {
      flow = function(f)
        local v = f.head_src
        local method = method_of(v)
        if not method then return end
        local host = header(v, "\r\nHost:") or header(v, "\r\nhost:") or tostring(f.dst)
        hosts:add(host)
        bytes:add(host, f.bytes)
        methods:add(method)
        agents:add(header(v, "\r\nUser-Agent:") or header(v, "\r\nuser-agent:") or "(none)")
      end,
      finish = function(out)
        local rows = hosts:top(opt.top)
        for _, r in ipairs(rows) do r[3] = bytes:get(r[1]) end
        out:table { title = "HTTP hosts", rows = rows, total = rows.total, notes = rows.notes,
          chart = "connections", columns = { "host", { name = "connections", unit = "connections" },
            { name = "bytes", unit = "bytes" } } }
        out:bars { title = "Methods", rows = methods:top(opt.top) }
        out:bars { title = "Programs", rows = agents:top(opt.top) }
      end,
    }
  end,
}
