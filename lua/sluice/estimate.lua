-- Packets and bytes by key, estimated from a sample: what `sampled` of a recipe makes instead of
-- aggregates. The method, its bounds and its source: src/aggregate/ratio.h, estimate.h.
--
--   local hosts = estimate { "packets by address", key = "address" }   or key = "port": a number
--   hosts:add(p.src, p.len)      in packet: a packet, and its bytes
--   hosts:top(n), hosts:rows()   in finish: { key, packets, from, to, bytes, from, to }, the most
--                                bytes first; rows.total keys before they were cut
--   hosts:notes()                how many keys are not estimated
--   hosts.columns                the columns of a table for what stands behind the key
local ffi = require "ffi"
local C = require("sluice.abi").C

local estimate = {}

local FEW = 30 -- SL_RATIO_BLOCKS_MIN: blocks that must hold a key

--- Of packets and bytes, each with the interval that holds the true number in 95 % of samples. More
--- digits than elsewhere, so that the ends of a narrow one differ.
estimate.columns = {}
for _, unit in ipairs { "packets", "bytes" } do
  for _, x in ipairs { { "" }, { "_low", "from" }, { "_high", "to" } } do
    table.insert(estimate.columns, { name = unit .. x[1], title = x[2], unit = unit, digits = 5 })
  end
end

--- What stands in these columns, from a struct sl_estimate_row.
function estimate.cells(row)
  return row.packets, row.packets_low, row.packets_high, row.bytes, row.bytes_low, row.bytes_high
end

local Estimate = {}
Estimate.__index = Estimate

-- Which of the two functions adds is known when the estimate is made, so that a loop compiles it.
local function adder(is_address, C_)
  if is_address then
    return function(self, key, bytes) C_.sl_estimate_add_a(self.c, key, bytes) end
  end
  return function(self, key, bytes) C_.sl_estimate_add_n(self.c, key, bytes) end
end

local function made(spec)
  if type(spec) ~= "table" or type(spec[1]) ~= "string" or type(spec.key) ~= "string" then
    error("estimate { \"name\", key = \"address\" }: it wants a name and a key", 3)
  end
  if spec.key == "string" or spec.key == "country" or spec.key:find("/", 1, true) then
    error(("estimate \"%s\": a key is \"address\", or a number's name, not \"%s\""):format(spec[1],
      spec.key), 3)
  end
  local err, is_address = ffi.new "struct sl_error", spec.key:match "[^:]*$" == "address"
  local c = C.sl_estimate_new(is_address and C.SL_AGG_ADDRESS or C.SL_AGG_NUMBER, err)
  if c == nil then error({ code = err.code, message = ffi.string(err.message) }, 0) end
  return setmetatable({ name = spec[1], key = spec.key, is_address = is_address,
    columns = estimate.columns, c = ffi.gc(c, C.sl_estimate_free), add = adder(is_address, C) },
    Estimate)
end

--- The constructor that a recipe sees. What it makes is put into the list, for follow.
function estimate.maker(list)
  return function(spec)
    if not list.open then
      error("estimate { … } belongs into sampled: only a run with --sample has estimates", 2)
    end
    list[#list + 1] = made(spec)
    return list[#list]
  end
end

--- Before the first packet: the blocks that the estimates are of.
function estimate.follow(list, blocks)
  for _, e in ipairs(list) do C.sl_estimate_follow(e.c, blocks) end
end

function Estimate:top(n)
  local total = tonumber(C.sl_estimate_rank(self.c))
  local rows = { total = total }
  for i = 1, math.min(n or total, total) do
    local row = C.sl_estimate_at(self.c, i - 1)
    -- A copy: the rows are the estimate's until it is ranked again.
    local key = self.is_address and ffi.new("struct sl_addr", row.address) or row.number
    rows[i] = { key, estimate.cells(row) }
  end
  return rows
end

function Estimate:rows()
  return self:top()
end

--- Sentences; what names the keys in them, "addresses" for one.
function Estimate:notes(what)
  local notes = {}
  local rare, lost = tonumber(C.sl_estimate_rare(self.c)), tonumber(C.sl_estimate_lost(self.c))
  what = what or "keys"
  if rare > 0 then
    notes[1] = ("not estimated: %.0f %s in fewer than %d blocks"):format(rare, what, FEW)
  end
  if lost > 0 then
    notes[#notes + 1] = ("not estimated: %.0f packets of %s for which there was no room"):format(
      lost, what)
  end
  return notes
end

return estimate
