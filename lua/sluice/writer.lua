-- -w and --per-flow: which packets are written, and where to. A packet is written when it passes
-- -f, -Y and -c, and every recipe of the run passes it: its filter holds, and its packet handler
-- does not return false.
local ffi = require "ffi"
local C = require("sluice.abi").C
local loops = require "sluice.loops"
local recipe = require "sluice.recipe"

local writer = {}

local MEASURES = {
  filesize = { "split_bytes", 1000 }, -- tshark's kB
  duration = { "split_s", 1 }, packets = { "split_packets", 1 }, files = { "keep_files", 1 },
}

local function measure(text, into)
  local name, n = text:match "^(%l+):(%d*%.?%d+)$"
  local m, value = MEASURES[name], tonumber(n)
  if not m or value <= 0 or (name ~= "duration" and value % 1 ~= 0) then
    recipe.fail("-b %s: give filesize:kB, duration:SECONDS, packets:N or files:N", text)
  end
  into[m[1]] = value * m[2]
end

--- What the options ask for, or nil: no capture is written.
function writer.wanted(o)
  if not (o.write or o.per_flow) then
    if o.split then recipe.fail "-b says how to split what -w writes: give -w FILE" end
    return nil
  end
  local spec = { path = o.write, per_flow = o.per_flow, flush = o.flush and 1 or 0 }
  for _, text in ipairs(o.split or {}) do measure(text, spec) end
  local splits = spec.split_bytes or spec.split_s or spec.split_packets
  if spec.keep_files and not splits then
    recipe.fail "-b files:N limits the files of a row: give filesize, duration or packets as well"
  end
  if splits and (spec.path == nil or spec.path == "-") then
    recipe.fail "-b splits files: give -w FILE"
  end
  return spec
end

local Writer = {}
Writer.__index = Writer

--- Opens the files. spec: of writer.wanted; groups: of the engine.
function writer.open(run, spec, groups)
  local err = ffi.new "struct sl_error"
  local o = ffi.new "struct sl_write_options"
  for name, value in pairs(spec) do o[name] = value end
  local handle = C.sl_run_writer(run, o, err)
  if handle == nil then error({ code = err.code, message = ffi.string(err.message) }, 0) end
  local function discard(h) C.sl_writer_close(h, 0, err) end
  local tap = C.sl_run_tap(run, spec.per_flow and 1 or 0, 0)
  if tap == nil then
    discard(handle)
    local why = C.sl_run_error(run)
    error({ code = why.code, message = ffi.string(why.message) }, 0)
  end
  local self = setmetatable({ handle = ffi.gc(handle, discard), tap = tap, spec = spec, filters = 0,
    whole = #groups == 0, -- no recipe narrows what is written
    per_flow = spec.per_flow ~= nil, passed = ffi.new("uint8_t[?]", C.SL_BATCH),
    dropped = ffi.new("uint8_t[?]", C.SL_BATCH) }, Writer)
  for _, g in ipairs(groups) do
    if g.filter then self.filters = self.filters + 1 end
  end
  self.mark, self.choose = loops.mark(self.passed), loops.choose(self.passed, self.dropped)
  return self
end

--- Forgets the batch before.
function Writer:begin()
  if self.whole then return end
  ffi.fill(self.passed, C.SL_BATCH)
  ffi.fill(self.dropped, C.SL_BATCH)
end

--- A group's filter has narrowed its tap.
function Writer:narrowed(tap)
  self.mark(tap)
end

--- Writes what is left of the batch. false: nothing more can be written.
function Writer:write(packets)
  local tap = self.tap
  C.sl_tap_begin(tap)
  if not self.whole then self.choose(tap, self.filters) end
  if self.per_flow and C.sl_tap_flows(tap) < 0 then return false end
  if self.per_flow then -- decided flows must not pile up
    while C.sl_tap_decided(tap) > 0 do end
  end
  return self:told(C.sl_writer_add(self.handle, packets, tap.sel, tap.n))
end

--- What was written reaches the other end of a pipe.
function Writer:flush()
  return self:told(C.sl_writer_flush(self.handle))
end

-- A pipe whose reader left ends the run quietly; other errors are raised.
function Writer:told(result)
  if result == 0 then return true end
  if C.sl_writer_reader_left(self.handle) == 1 then return false end
  local err = C.sl_writer_error(self.handle)
  error({ code = err.code, message = ffi.string(err.message) }, 0)
end

--- Completes the files. Returns a note for standard error, or nil.
function Writer:close()
  local err = ffi.new "struct sl_error"
  local cut = tonumber(C.sl_writer_cut_times(self.handle))
  if C.sl_writer_close(ffi.gc(self.handle, nil), 1, err) < 0 then
    error({ code = err.code, message = ffi.string(err.message) }, 0)
  end
  if cut > 0 then
    return ("-w: %d time stamps lost their nanoseconds: a .pcapng keeps them"):format(cut)
  end
end

return writer
