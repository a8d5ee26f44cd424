-- What a run says of itself beside its result: where it may not be whole; for -v how it was read.
local ffi = require "ffi"
local C = require("sluice.abi").C

local run_notes = {}

-- Numbers of the inputs, from 0, and their names.
local function each_input(handle)
  return function(_, i)
    local name = C.sl_run_input_name(handle, i + 1)
    if name == nil then return nil end
    return i + 1, ffi.string(name)
  end, nil, -1
end

-- Flows that --max-flows ended early are no part of any result's text, so they are told apart.
local function evicted(groups, max_flows)
  local n = 0
  for _, g in ipairs(groups) do
    local stats = C.sl_tap_stats(g.tap)
    if stats ~= nil then n = n + tonumber(stats.ended[C.SL_END_EVICTED]) end
  end
  if n == 0 then return nil end
  return ("%d flows were ended early because of --max-flows %d"):format(n, max_flows)
end

-- And flows whose first bytes found no memory.
local function heads_lost(groups)
  local lost = 0
  for _, g in ipairs(groups) do lost = lost + tonumber(C.sl_tap_heads_lost(g.tap)) end
  if lost == 0 then return nil end
  return ("the first bytes of %d sides of flows are cut: together they need more than 256 MiB")
    :format(lost)
end

-- And calls of interval.
local function intervals_over(n)
  if (n or 0) == 0 then return nil end
  return ("interval was not called for %.0f multiples of its seconds, all without packets")
    :format(n)
end

--- What is wrong with the result of a run that was read to its end, "a; b", behind what was said
--- before (run.message); nil: nothing is.
function run_notes.doubts(run)
  local list = { run.message }
  list[#list + 1] = evicted(run.groups, run.opts.max_flows)
  list[#list + 1] = heads_lost(run.groups)
  list[#list + 1] = intervals_over(run.intervals_over)
  if not run.logs then -- these have no windows
    -- A window that was sought in a capture whose times are in disorder may not be whole.
    for i, name in each_input(run.handle) do
      if C.sl_run_window_doubt(run.handle, i) == 1 then
        list[#list + 1] = ("%s: time goes back in the window, so packets of it may lie where "
          .. "--from and --to did not look; through a pipe all of it is read"):format(name)
      end
    end
  end
  return list[1] and table.concat(list, "; ")
end

--- How windows were found, for -v: a list of lines.
function run_notes.windows(handle)
  local notes = {}
  for i, name in each_input(handle) do
    local note = ffi.string(C.sl_run_window_note(handle, i))
    if note ~= "" then notes[#notes + 1] = name .. ": " .. note end
  end
  return notes
end

return run_notes
