-- Aggregates of whole flows, which C reads itself: for recipes that tell of hosts and of flows.
--
--   hosts { "hosts" }                  src/aggregate/hosts.h: what every address did
--   largest { "flows", n = 20 }        src/aggregate/largest.h: the n with most bytes
--
-- Both are filled by add(f) in flow, read in finish, and merge like all aggregates.
local ffi = require "ffi"

local error, pairs, setmetatable, tonumber, type = error, pairs, setmetatable, tonumber, type
local C = ffi.C

local of_flows = { kinds = {} }

local MOST_HOSTS = 131072 -- some 30 MB
local MOST_FLOWS = 2 ^ 20

local RANKS = { bytes = C.SL_HOSTS_BY_BYTES, source_bytes = C.SL_HOSTS_BY_SOURCE_BYTES,
  target_bytes = C.SL_HOSTS_BY_TARGET_BYTES, source_flows = C.SL_HOSTS_BY_SOURCE_FLOWS,
  target_flows = C.SL_HOSTS_BY_TARGET_FLOWS }

-- ---- what both have ----

-- Calls f(…, err) of the core.
local function must(result, err, level)
  if result == nil or result == -1 then error(ffi.string(err.message), level + 1) end
  return result
end

local function to_bytes(self)
  local err, bytes, size = ffi.new("struct sl_error"), ffi.new("uint8_t *[1]"), ffi.new("size_t[1]")
  must(C[self.core .. "_to_bytes"](self.c, bytes, size, err), err, 2)
  local text = ffi.string(bytes[0], size[0])
  C.sl_agg_bytes_free(bytes[0])
  return text
end

-- The C object of another aggregate, or of what its to_bytes gave.
local function read(self, from)
  if type(from) ~= "string" then return from.c end
  local err = ffi.new "struct sl_error"
  return ffi.gc(must(C[self.core .. "_from_bytes"](from, #from, err), err, 3),
    C[self.core .. "_free"])
end

-- ---- hosts ----

local Hosts = { kind = "hosts", core = "sl_hosts", to_bytes = to_bytes }

function Hosts:add(f)
  C.sl_hosts_add(self.c, f)
end

function Hosts:merge(from)
  local err = ffi.new "struct sl_error"
  must(C.sl_hosts_merge(self.c, read(self, from), err), err, 2)
end

--- Iterates over the n largest by "bytes", "source_bytes", "target_bytes", "source_flows" or
--- "target_flows": i and a struct sl_host, which is good until the next each.
function Hosts:each(by, n)
  local count = C.sl_hosts_rank(self.c, RANKS[by], n)
  local i = 0
  return function()
    i = i + 1
    if i <= count then return i, C.sl_hosts_at(self.c, i - 1) end
  end
end

--- How many hosts have something of what each() ranks by.
function Hosts:count(by)
  return C.sl_hosts_count(self.c, RANKS[by])
end

--- A host's flows over time, bin by bin, from the first flow of all to the last.
function Hosts:timeline(host)
  local list = {}
  for k = 1, C.sl_hosts_bins(self.c) do list[k] = C.sl_hosts_flows_in(self.c, host, k - 1) end
  return list
end

--- What a reader of the result must know, one sentence each.
function Hosts:notes()
  local notes = {}
  local dropped, lost = tonumber(C.sl_hosts_dropped(self.c)), tonumber(C.sl_hosts_lost(self.c))
  if dropped > 0 then
    notes[1] = ("approximate: %.0f hosts with few bytes were dropped because more than %d came; no "
      .. "host's bytes are too low by more than %.0f"):format(dropped, self.keys,
      C.sl_hosts_error(self.c))
  end
  if lost > 0 then
    notes[#notes + 1] = ("approximate: %.0f ends of flows found no memory"):format(lost)
  end
  return notes
end

-- ---- the largest flows ----

local Largest = { kind = "largest", core = "sl_largest", to_bytes = to_bytes }

function Largest:add(f)
  C.sl_largest_add(self.c, f)
end

--- before: frames that the capture had before those of `from`, whose numbers begin anew; or nil.
function Largest:merge(from, before)
  local err = ffi.new "struct sl_error"
  must(C.sl_largest_merge(self.c, read(self, from), before or 0, err), err, 2)
end

--- Iterates over them, the largest first: i and a flow, of which no head is left.
function Largest:each()
  local count = C.sl_largest_sort(self.c)
  local i = 0
  return function()
    i = i + 1
    if i <= count then return i, C.sl_largest_at(self.c, i - 1) end
  end
end

function Largest:notes()
  local lost = tonumber(C.sl_largest_lost(self.c))
  return lost > 0 and { ("approximate: %.0f flows found no memory"):format(lost) } or {}
end

-- ---- making them ----

-- option: the one that a kind has beside its name; most: its greatest value.
of_flows.kinds.hosts = { metatable = { __index = Hosts }, option = "keys", default = MOST_HOSTS,
  most = MOST_HOSTS }
of_flows.kinds.largest = { metatable = { __index = Largest }, option = "n", default = 10,
  most = MOST_FLOWS }

local function check(kind, spec, options)
  if type(options) ~= "table" or type(options[1]) ~= "string" then
    error(("%s wants a name: %s { \"name\" }"):format(kind, kind), 0)
  end
  for option in pairs(options) do
    if option ~= 1 and option ~= spec.option then
      error(("aggregate \"%s\": a %s has no option \"%s\"; it has %s"):format(options[1], kind,
        tostring(option), spec.option), 0)
    end
  end
  local n = options[spec.option]
  if n == nil then return spec.default end
  if type(n) ~= "number" or n < 1 or n > spec.most or n % 1 ~= 0 then
    error(("aggregate \"%s\": %s is a whole number up to %d"):format(options[1], spec.option,
      spec.most), 0)
  end
  return n
end

--- Makes one, with the fields that all aggregates have.
function of_flows.new(kind, options)
  local spec = of_flows.kinds[kind]
  local n, err = check(kind, spec, options), ffi.new "struct sl_error"
  local core = spec.metatable.__index.core
  local c = must(C[core .. "_new"](n, err), err, 0)
  local object = { name = options[1], labels = {}, flows_only = true, [spec.option] = n }
  object.c = ffi.gc(c, C[core .. "_free"])
  return setmetatable(object, spec.metatable)
end

return of_flows
