-- What every address did in flows, for recipes that tell of hosts: src/aggregate/hosts.h.
--
--   local hosts = require("sluice.hosts").new()     in start
--   hosts:add(f)                                    in flow
--   for i, host in hosts:each("bytes", 10) do …     the largest first; host is good until the next
local ffi = require "ffi"
local C = require("sluice.abi").C

local hosts = {}

local MOST = 131072 -- some 30 MB

local RANKS = { bytes = C.SL_HOSTS_BY_BYTES, source_bytes = C.SL_HOSTS_BY_SOURCE_BYTES,
  target_bytes = C.SL_HOSTS_BY_TARGET_BYTES, source_flows = C.SL_HOSTS_BY_SOURCE_FLOWS,
  target_flows = C.SL_HOSTS_BY_TARGET_FLOWS }

local Hosts = {}
Hosts.__index = Hosts

--- A table of at most `most` hosts; past that the half with fewer bytes is dropped.
function hosts.new(most)
  local err = ffi.new "struct sl_error"
  local c = C.sl_hosts_new(most or MOST, err)
  if c == nil then error({ code = err.code, message = ffi.string(err.message) }, 0) end
  return setmetatable({ c = ffi.gc(c, C.sl_hosts_free) }, Hosts)
end

function Hosts:add(f)
  C.sl_hosts_add(self.c, f)
end

--- Iterates over the n largest by "bytes", "source_bytes", "target_bytes", "source_flows" or
--- "target_flows": i and a struct sl_host.
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

--- A host's flows over time, from the first packet on, bin by bin.
function Hosts:timeline(host)
  local list = {}
  for k = 0, C.sl_hosts_bins(self.c) - 1 do list[k + 1] = host.bins[k] end
  return list
end

--- What a reader of the result must know, one sentence each.
function Hosts:notes()
  local notes = {}
  local dropped, lost = tonumber(C.sl_hosts_dropped(self.c)), tonumber(C.sl_hosts_lost(self.c))
  if dropped > 0 then
    notes[1] = ("approximate: %.0f hosts with few bytes were dropped because more than %d came; no "
      .. "host's bytes are too low by more than %.0f"):format(dropped, MOST,
      C.sl_hosts_error(self.c))
  end
  if lost > 0 then
    notes[#notes + 1] = ("approximate: %.0f ends of flows found no memory"):format(lost)
  end
  return notes
end

return hosts
