-- -i: capturing from an interface, with what belongs to it.
local ffi = require "ffi"
local C = require("sluice.abi").C
local recipe = require "sluice.recipe"

local live = {}

local BESIDE = { { "not_promiscuous", "-p" }, { "snaplen", "-s" }, { "autostop", "-a" },
  { "user", "-Z" } }

--- What the options ask for (struct sl_live_options), or nil: inputs are read.
function live.wanted(o, inputs)
  if not o.interface then
    for _, option in ipairs(BESIDE) do
      if o[option[1]] then recipe.fail("%s belongs to a capture: give -i IFACE", option[2]) end
    end
    return nil
  end
  if #inputs > 0 then recipe.fail("-i captures instead of reading inputs: %s", inputs[1]) end
  local l = ffi.new "struct sl_live_options"
  l.interface, l.snaplen = o.interface, o.snaplen or 0
  l.not_promiscuous = o.not_promiscuous and 1 or 0
  if o.autostop then
    local seconds = tonumber(o.autostop:match "^duration:(%d*%.?%d+)$")
    if not seconds or seconds <= 0 then recipe.fail("-a %s: give duration:SECONDS", o.autostop) end
    l.duration_s = seconds
  end
  return l
end

-- Modules that are loaded when a result is rendered: then nobody may read them any more.
local LATE = { "sluice.render", "sluice.text", "sluice.json", "sluice.csv", "sluice.blocks",
  "sluice.units" }

--- Root's rights were wanted to open the interface only. They stay where files are still to be
--- given their names, unless -Z says who shall write them.
function live.drop_privileges(o)
  local writes = o.write and o.write ~= "-" or o.per_flow or o.file
  if writes and not o.user and not os.getenv "SUDO_UID" then return end
  for _, name in ipairs(LATE) do require(name) end
  local err = ffi.new "struct sl_error"
  if C.sl_drop_privileges(o.user, err) < 0 then
    error({ code = err.code, message = ffi.string(err.message) }, 0)
  end
end

--- The end of a capture by hand is the way it ends. Says what was dropped.
function live.account(run, status, message)
  local n = ffi.new "struct sl_live_counters"
  if C.sl_run_live_counters(run, n) == 0 then return status, message end
  local lost = tonumber(n.dropped + n.dropped_by_interface)
  local note = lost > 0 and ("%d of %d packets were dropped: they came faster than they were read")
    :format(lost, tonumber(n.received)) or nil -- libpcap counts them as received
  return status, message and note and message .. "; " .. note or note or message
end

--- -D
function live.list()
  local err = ffi.new "struct sl_error"
  local out = C.sl_out_open(nil, err)
  local result = C.sl_live_list(out, err)
  C.sl_out_close(out, 1, ffi.new "struct sl_error")
  if result < 0 then return err.code, ffi.string(err.message) end
  return 0
end

return live
