-- Which servers TLS clients ask for by name, and in which version: read off the ClientHello (RFC
-- 8446 section 4.1.2), the first that a client sends. It often spans two segments, hence a head.
local HANDSHAKE, CLIENT_HELLO = 22, 1
local SERVER_NAME, SUPPORTED_VERSIONS = 0, 43
local VERSIONS = { [0x0300] = "SSL 3.0", [0x0301] = "TLS 1.0", [0x0302] = "TLS 1.1",
  [0x0303] = "TLS 1.2", [0x0304] = "TLS 1.3" }
local NONE = "(no name)"

-- Where the extensions begin, or nil: behind record (5), handshake (4), version (2), random (32),
-- session, cipher suites and compression methods.
local function extensions(v)
  if v:u8(0) ~= HANDSHAKE or v:u8(5) ~= CLIENT_HELLO then return nil end
  local session = v:u8(43)
  local suites = session and v:u16(44 + session)
  local methods = suites and v:u8(46 + session + suites)
  return methods and 47 + session + suites + methods
end

-- The greatest version in a list of them; values such as 0x?a?a are there to be ignored (RFC 8701).
local function greatest(v, at)
  local best = 0
  for i = at + 1, at + (v:u8(at) or 0), 2 do
    local version = v:u16(i) or 0
    if version > best and version <= 0x0304 then best = version end
  end
  return best
end

-- Name and version, or nil: no ClientHello.
local function client_hello(v)
  local at = extensions(v)
  if not at then return nil end
  local name, version = NONE, v:u16(9)
  local last = at + 2 + (v:u16(at) or 0)
  at = at + 2
  while at < last do
    local kind, length = v:u16(at), v:u16(at + 2)
    if not length then break end
    if kind == SERVER_NAME then
      name = v:text(at + 9, v:u16(at + 7) or 0)
    elseif kind == SUPPORTED_VERSIONS then
      version = greatest(v, at + 4)
    end
    at = at + 4 + length
  end
  return name:lower(), version
end

return {
  about = "TLS: server names and versions that clients ask for",
  options = { top = { default = 20, about = "names to show" } },
  filter = "tcp",
  head = 2048,
  start = function(opt)
    local flows = count { "connections by name", key = "name:string" }
    local bytes = sum { "bytes by name", key = "name:string" }
    local clients = distinct { "clients by name", key = "name:string", of = "address" }
    local versions = count { "connections by version", key = "version" }
    return {
      flow = function(f)
        local name, version = client_hello(f.head_src)
        if not name then return end
        flows:add(name)
        bytes:add(name, f.bytes)
        clients:add(name, f.src)
        versions:add(version)
      end,
      finish = function(out)
        local rows = bytes:top(opt.top)
        for _, r in ipairs(rows) do r[2], r[3], r[4] = flows:get(r[1]), clients:get(r[1]), r[2] end
        out:table { title = "TLS servers", rows = rows, total = rows.total, notes = rows.notes,
          chart = "bytes", columns = { "name", { name = "connections", unit = "connections" },
            "clients", { name = "bytes", unit = "bytes" } } }
        rows = versions:rows()
        for _, r in ipairs(rows) do r[1] = VERSIONS[r[1]] or ("0x%04x"):format(r[1]) end
        out:bars { title = "Versions offered", rows = rows, label = "version",
          value = "connections" }
      end,
    }
  end,
}
