-- What the core is asked for: options and recipes as struct sl_options, and the run that it opens.
local ffi = require "ffi"
local C = require("sluice.abi").C
local recipe = require "sluice.recipe"
local late = require "sluice.late"
local uses = late "sluice.uses"

local run_open = {}

-- The one interval of a run: recipes that want one must agree on it.
local function interval_of(recipes)
  local every, first
  for _, r in ipairs(recipes) do
    if r.handlers.interval then
      local n = r.handlers.every or r.every or 1
      if n <= 0 then recipe.fail("recipe %s: every must be above 0 seconds", r.name) end
      if every and every ~= n then
        recipe.fail("recipes %s and %s want intervals of %g s and %g s: run them one by one",
          first.name, r.name, every, n)
      end
      every, first = n, first or r
    end
  end
  return every or 0
end

-- Whether anybody looks at the time since the packet before: the core stamps it only then.
local function wants_deltas(recipes, opts)
  if opts.display and opts.display.expr:find("p.delta", 1, true) then return true end
  for _, r in ipairs(recipes) do
    if r.filter and r.filter:find("time_delta", 1, true) then return true end
    if r.handlers.packet and uses.fields(r.handlers.packet).delta then return true end
  end
  return false
end

-- Whether packets go from -f to -w, and nobody looks at what is in them.
local function is_raw(recipes, opts)
  return #recipes == 0 and not opts.display and opts.write and not opts.write.per_flow
end

local function flag(wanted) return wanted and 1 or 0 end

-- Logs of merge.logs as the core takes them.
local function log_parts(logs)
  local list = ffi.new("struct sl_log_part[?]", #logs)
  for i, log in ipairs(logs) do
    local part = list[i - 1]
    part.path, part.offset, part.size, part.crc = logs.paths[i], log.offset, log.size, log.crc
  end
  return list
end

local function open(o)
  local err = ffi.new "struct sl_error"
  local handle = C.sl_run_open(o, err)
  if handle == nil then error({ code = err.code, message = ffi.string(err.message) }, 0) end
  return ffi.gc(handle, C.sl_run_close)
end

local function set_inputs(o, names)
  local list = ffi.new("const char *[?]", #names)
  for i, name in ipairs(names) do list[i - 1] = name end
  o.inputs, o.n_inputs = list, #names
  return list
end

-- What is read of the inputs, and what the run before this one has logged.
local function set_extent(o, opts)
  if opts.from then o.from = opts.from end
  if opts.to then o.to = opts.to end
  if opts.piece then o.begin, o["end"] = opts.piece.start, opts.piece.stop or 0 end
  o.opened = opts.opened
  if not opts.go_on then return end
  o.begin, o.before = opts.go_on.start, opts.go_on.frames
  local logs = opts.go_on.logs
  if not logs then return end
  local list = log_parts(logs)
  o.logs, o.n_logs = list, #logs
  return { list, logs }
end

--- run_open.inputs(recipes, opts of engine.open) -> the handle, seconds of an interval (0: none),
--- whether times since the packet before are stamped, and what must live as long as the run.
function run_open.inputs(recipes, opts)
  local o = ffi.new "struct sl_options"
  local names = set_inputs(o, opts.inputs)
  o.bpf, o.live = opts.bpf, opts.capture
  o.count, o.idle_s, o.max_flows = opts.count or 0, opts.idle or -1, opts.max_flows or 0
  o.interval_s, o.progress = interval_of(recipes), flag(opts.progress)
  o.decap, o.follow, o.in_flight = flag(opts.decap), flag(opts.follow), opts.in_flight or 0
  o.sample, o.seed = opts.sample or 0, opts.seed or 0
  o.deltas, o.raw = flag(wants_deltas(recipes, opts)), flag(is_raw(recipes, opts))
  local logs = set_extent(o, opts)
  return open(o), o.interval_s, o.deltas == 1, { names, logs }
end

--- run_open.logs(opts of engine.replay, logs of merge.logs) -> the handle, and what must live as
--- long as the run.
function run_open.logs(opts, logs)
  local list = log_parts(logs)
  local o = ffi.new "struct sl_options"
  o.idle_s, o.logs, o.n_logs = opts.idle or -1, list, #logs
  return open(o), { list, logs }
end

return run_open
