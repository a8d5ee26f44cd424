-- What finish(out, run) may ask about the run:
--
--   run.inputs       names of the inputs, secrets redacted
--   run.link_types   "EN10MB", …
--   run.stats        struct sl_stats: packets, bytes, captured_bytes, first, last, timed
--   run.flow_stats   struct sl_flow_stats, or nil when no recipe needed flows
--   run.sample       of a run with --sample, else nil: see sluice.sampling
--   run.status       0, or 1 when an input could not be read to its end
--   run.seconds(first, last)   between two struct sl_time
--   run.protocols()  { { "ip", object of packets and bytes, packets =, bytes = }, … }
--   run.networks()   { { "ip", packets }, … }: every packet under one network at most
--   run.reasons(counts)        { { "truncated network header", packets }, … }
--   run.proto_name(number)     "tcp", …
--   run.account()    a line about the reading itself, for -v
local ffi = require "ffi"
local C = require("sluice.abi").C
local objects = require "sluice.objects"
local sampling = require "sluice.sampling"
local value = require "sluice.value"

local info = {}

local function seconds(first, last)
  return tonumber(last.s - first.s) + (tonumber(last.nsec) - tonumber(first.nsec)) * 1e-9
end

-- Why requests were repeated, as far as one number says it.
local function again(t)
  if t.retries == 0 then return "" end
  local why = t.last_status > 0 and "HTTP " .. t.last_status or "a broken transfer"
  return (" (%d of them again, lately after %s)"):format(tonumber(t.retries), why)
end

-- What -v tells on standard error: what the result does not show.
local function account(run, bytes_read)
  local parts = { ("%.0f bytes read"):format(bytes_read) }
  local t = run.traffic
  if t.requests > 0 then
    parts[#parts + 1] = ("%.0f bytes fetched in %d requests"):format(tonumber(t.fetched),
      tonumber(t.requests)) .. again(t)
  end
  local f = run.flow_stats
  if f then
    parts[#parts + 1] = ("%d flows, at most %d at once"):format(tonumber(f.created), f.live_max)
    parts[#parts + 1] = ("%d fragments without their first one"):format(tonumber(f.fragments_lost))
    parts[#parts + 1] = ("%d packets earlier than the one before"):format(
      tonumber(run.stats.backwards))
  end
  parts[#parts + 1] = run.workers > 0 and ("%d workers"):format(run.workers)
    or run.alone and ("one worker (%s)"):format(run.alone) or "one worker"
  return table.concat(parts, ", ")
end

local function reasons(counts)
  local list = {}
  for i = 0, C.SL_SKIP_N - 1 do
    if counts[i] > 0 then list[#list + 1] = { ffi.string(C.sl_skip_name(i)), counts[i] } end
  end
  return list
end

local function each_proto(counts, make)
  local list = {}
  for i = 0, C.SL_P_N - 1 do
    if counts[i] > 0 then list[#list + 1] = make(ffi.string(C.sl_proto_name(i)), i) end
  end
  return list
end

--- run: the fields above, and those that account tells.
function info.new(run)
  run.flow_stats = run.flow_stats ~= nil and run.flow_stats or nil
  run.seconds, run.reasons = seconds, reasons
  function run.protocols()
    return each_proto(run.stats.proto_packets, function(name, i)
      local packets, bytes = run.stats.proto_packets[i], run.stats.proto_bytes[i]
      return { name, value.object { { "packets", packets }, { "bytes", bytes } },
        packets = packets, bytes = bytes }
    end)
  end
  function run.networks()
    local counts = run.stats.network_packets
    return each_proto(counts, function(name, i) return { name, counts[i] } end)
  end
  function run.account() return account(run, run.bytes_read) end
  function run.proto_name(number) return objects.proto_names[number] end
  return run
end

-- Names of the inputs, their ETags and sizes: more than were named, for a prefix stands for all
-- blobs below it.
local function inputs_of(handle)
  local inputs, etags, sizes = {}, {}, {}
  for i = 1, math.huge do
    local name = C.sl_run_input_name(handle, i - 1)
    if name == nil then break end
    inputs[i] = ffi.string(name)
    local etag = ffi.string(C.sl_run_input_etag(handle, i - 1))
    if etag ~= "" then etags[i] = etag end
    sizes[i] = tonumber(C.sl_run_input_size(handle, i - 1))
  end
  return inputs, etags, sizes
end

local function link_types_of(handle)
  local list = {}
  for i = 0, 63 do
    local name = C.sl_run_link_type(handle, i)
    if name == nil then break end
    list[i + 1] = ffi.string(name)
  end
  return list
end

--- The same of a run that was read. more: what the engine knows: seed, flow_stats, silent, status,
--- workers, alone.
function info.of(handle, more)
  local stats, traffic = C.sl_run_stats(handle), ffi.new "struct sl_traffic"
  C.sl_run_traffic(handle, traffic)
  more.stats, more.traffic = stats, traffic
  more.sample = sampling.of(handle, stats, more.seed)
  more.inputs, more.etags, more.sizes = inputs_of(handle)
  more.link_types = link_types_of(handle)
  more.bytes_read = tonumber(C.sl_run_bytes_read(handle))
  more.frames = tonumber(C.sl_run_frames(handle))
  return info.new(more)
end

return info
