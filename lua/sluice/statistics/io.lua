-- -z io,stat,INTERVAL[,FILTER]… and io,phs: frames and bytes over time and by protocol.
local C = require("sluice.abi").C
local ffi = require "ffi"
local filter = require "sluice.filter"
local geo = require "sluice.geo"
local inside = require "sluice.statistics.inside"
local recipe = require "sluice.recipe"

local io_statistics = {}

local MAX_ROWS = 1000000 -- a wrong time stamp must not make a row for each second of a century

local function tests_of(texts)
  local tests = {}
  for i, text in ipairs(texts) do
    if text == "" then
      tests[i] = function() return true end
    else
      local f, why = filter.compile(text, "packet", { country = geo.country })
      if not f then recipe.fail("-z io,stat: %s", why:tostring()) end
      tests[i] = f.test
    end
  end
  return tests
end

local function columns_of(texts)
  local columns = { { name = "from", type = "number" }, { name = "to", type = "number" } }
  for i, text in ipairs(texts) do
    local of = text == "" and "" or " " .. text
    local n = i == 1 and "" or "_" .. i
    columns[#columns + 1] = { name = "frames" .. n, title = "Frames" .. of }
    columns[#columns + 1] = { name = "bytes" .. n, title = "Bytes" .. of }
  end
  return columns
end

--- Handlers of io,stat: seconds of an interval (0: all in one), filters (none: every frame).
function io_statistics.stat(seconds, texts)
  if #texts == 0 then texts = { "" } end
  local tests, rows, last, duration = tests_of(texts), {}, -1, 0
  local micros = math.floor(seconds * 1e6 + 0.5)
  local function packet(p)
    local t = math.floor(p.t * 1e6 + 0.5)
    if t < 0 then return end -- before the first packet: in no interval of tshark's
    local at = micros > 0 and math.floor(t / micros) or 0
    local row = rows[at]
    if not row then
      row = {}
      for i = 1, 2 * #tests do row[i] = 0 end
      rows[at] = row
    end
    last, duration = math.max(last, at), math.max(duration, p.t)
    for i = 1, #tests do
      if tests[i](p) then
        row[2 * i - 1], row[2 * i] = row[2 * i - 1] + 1, row[2 * i] + p.len
      end
    end
  end
  local function finish(view)
    if last >= MAX_ROWS then
      recipe.fail("-z io,stat: more than %d intervals: take a longer one", MAX_ROWS)
    end
    local shown, none = {}, {}
    for i = 1, 2 * #tests do none[i] = 0 end
    for at = 0, last do
      local to = at == last and duration or (at + 1) * seconds
      shown[at + 1] = { at * seconds, to, unpack(rows[at] or none) }
    end
    view:table { title = "IO statistics", columns = columns_of(texts), rows = shown }
  end
  return { packet = packet, finish = finish }
end

local BITS, TUNNELS = tonumber(C.SL_P_N), tonumber(C.SL_P_VXLAN)

-- Adds the names of a packet's protocols, from the outermost to the transport: what the bits say.
-- Of a packet in a tunnel the tunnel comes first.
local function add_names(names, low, high, in_tunnel)
  for k = 0, BITS - 1 do
    local i = in_tunnel and (k + TUNNELS) % BITS or k
    if bit.band(i < 32 and low or high, bit.lshift(1, i % 32)) ~= 0 then
      names[#names + 1] = ffi.string(C.sl_proto_name(i))
    end
  end
end

local function add_path(root, names, frames, bytes)
  local node = root
  for _, name in ipairs(names) do
    local child = node.by_name[name]
    if not child then
      child = { name = name, frames = 0, bytes = 0, by_name = {}, list = {} }
      node.by_name[name] = child
      node.list[#node.list + 1] = child
    end
    child.frames, child.bytes = child.frames + frames, child.bytes + bytes
    node = child
  end
end

local function walk(node, depth, path, rows)
  for _, child in ipairs(node.list) do
    local here = path == "" and child.name or path .. ":" .. child.name
    rows[#rows + 1] = { ("  "):rep(depth) .. child.name, here, child.frames, child.bytes }
    walk(child, depth + 1, here, rows)
  end
end

-- The sets of protocols that packets have, in the order in which they were met, and below each
-- those of the packets inside.
local function new_sets() return { list = {}, by_high = {} } end

local function set_of(sets, low, high)
  local by_low = sets.by_high[high] or {}
  sets.by_high[high] = by_low
  local set = by_low[low]
  if not set then
    set = { low = low, high = high, frames = 0, bytes = 0, inside = new_sets() }
    by_low[low] = set
    sets.list[#sets.list + 1] = set
  end
  return set
end

-- A packet counts where the innermost one ends.
local function add_sets(root, sets, names, in_tunnel)
  for _, set in ipairs(sets.list) do
    local path = { unpack(names) }
    add_names(path, set.low, set.high, in_tunnel)
    if set.frames > 0 then add_path(root, path, set.frames, set.bytes) end
    add_sets(root, set.inside, path, true)
  end
end

--- Handlers of io,phs: the protocol hierarchy to layer 4.
function io_statistics.hierarchy()
  local sets, at = new_sets(), nil
  local follow = inside.each(function(p)
    at = set_of(at and at.inside or sets, p.protos_w[0], p.protos_w[1])
  end)
  local function packet(p)
    at = nil
    follow(p)
    at.frames, at.bytes = at.frames + 1, at.bytes + p.len
  end
  local function finish(view)
    local root, rows = { by_name = {}, list = {} }, {}
    add_sets(root, sets, {}, false)
    walk(root, 0, "", rows)
    view:table { title = "Protocol hierarchy", rows = rows, columns = {
      { name = "protocol", title = "Protocol" }, { name = "path", title = "Path" },
      { name = "frames" }, { name = "bytes" } } }
  end
  return { packet = packet, finish = finish }
end

return io_statistics
