-- One run: recipes over a capture. Lua pulls: it asks the core for a batch, narrows it by filters,
-- lets the core update the flow tables, and walks packets and decided flows in its own loops. The
-- core never calls Lua.
local ffi = require "ffi"
local aggregate = require "sluice.aggregate"
local C = require("sluice.abi").C
local crew = require "sluice.crew"
local estimate = require "sluice.estimate"
local info = require "sluice.info"
local loops = require "sluice.loops"
local recipe = require "sluice.recipe"
local sampling = require "sluice.sampling"
local states = require "sluice.state"
local uses = require "sluice.uses"
local writer = require "sluice.writer"

local engine = {}

local FLOW_FIELDS = { "flow", "dir", "flow_pkt" }

-- Whether a recipe's handlers need a flow table at all. One over a sample does not: of
-- flows there are pieces only.
local function needs_flows(r, opts)
  local h = r.handlers
  if opts.sample then return false end
  if r.flows or r.state or r.head or h.flow or h.flows or h.traffic then return true end
  local fields = h.packet and uses.fields(h.packet) or {}
  for _, name in ipairs(FLOW_FIELDS) do
    if fields[name] then return true end
  end
  return false
end

-- Recipes with the same filter share a selection and a flow table: a group. Those whose flows are
-- also those inside tunnels (of -z) stand apart.
local function group_recipes(recipes, opts)
  local compile = opts.compile
  local groups, by_filter = {}, {}
  for _, r in ipairs(recipes) do
    local key = (r.inside and "inside " or "") .. (r.filter or "")
    local g = by_filter[key]
    if not g then
      g = { recipes = {}, inside = r.inside, flows = false, look = false, head = 0,
        filter = r.filter and loops.packet_filter(compile(r.filter, "packet", r), r.name) }
      by_filter[key] = g
      groups[#groups + 1] = g
    end
    g.recipes[#g.recipes + 1] = r
    g.flows = g.flows or needs_flows(r, opts)
    g.head = math.max(g.head, r.head or 0)
    g.look = g.look or r.handlers.flow ~= nil or r.handlers.flows ~= nil
  end
  return groups
end

-- dropped: of a run that writes packets, see sluice.writer; nil: it writes none.
local function fill_group(g, dropped)
  g.packet_loops, g.flow_loops, g.flow_lists = {}, {}, {}
  for _, r in ipairs(g.recipes) do
    local h, kept = r.handlers, r.state and states.new(r.state, r.name)
    if h.packet then
      local run = kept and loops.packets_with_state(h.packet, r.name, kept, dropped)
        or loops.packets(h.packet, r.name, dropped)
      g.packet_loops[#g.packet_loops + 1] = { run = run, recipe = r }
    end
    if h.flow then
      local run = kept and loops.flows_with_state(h.flow, r.name, kept)
        or loops.flows(h.flow, r.name)
      g.flow_loops[#g.flow_loops + 1] = { run = run, recipe = r }
    end
    if h.flows then
      g.flow_lists[#g.flow_lists + 1] = { run = h.flows, recipe = r }
    end
  end
end

-- The series that recipes of a group want filled with its traffic: one, or a list.
local function meter(self, g)
  for _, r in ipairs(g.recipes) do
    local wanted = r.handlers.traffic or {}
    for _, series in ipairs(aggregate.is(wanted) and { wanted } or wanted) do
      if not aggregate.is(series) or series.flows_only then
        recipe.fail("recipe %s: traffic is a series, or a list of them", r.name)
      end
      if C.sl_tap_meter(g.tap, series.c) < 0 then self:fail() end
    end
  end
end

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

local Run = {}
Run.__index = Run

-- A run over recipes whose core is there already.
local function new_run(handle, recipes, opts)
  local self = setmetatable({ handle = handle, opts = opts, recipes = recipes,
    batch = C.sl_run_batch(handle), at = {}, interrupt_at = C.sl_interrupt_at }, Run)
  -- const: a handler that writes p.dport = 443 where it meant == is told so.
  self.shown = ffi.cast("const struct sl_packet *", self.batch.packets)
  self.groups = group_recipes(recipes, opts)
  self.display = opts.display and loops.packet_filter(opts.display, "-Y")
  self.flow_filter = opts.flow_filter and loops.flow_filter(opts.flow_filter, "-F")
  return self
end

-- Logs of merge.logs as the core takes them.
local function log_parts(logs)
  local list = ffi.new("struct sl_log_part[?]", #logs)
  for i, log in ipairs(logs) do
    list[i - 1].path, list[i - 1].offset, list[i - 1].size = logs.paths[i], log.offset, log.size
  end
  return list
end

--- Opens the inputs and sets the groups up. opts: inputs, bpf, display (a condition of -Y),
--- flow_filter (of -F), from, to (struct sl_when), follow, compile, count, idle, max_flows, decap,
--- in_flight, progress, out (struct sl_out), live (what interval shows), write (of writer.wanted),
--- is_suite, workers, split_bytes, script (struct sl_script), sample (a part, to 1), seed, piece
--- (of sluice.plan), log (struct sl_outfile: events for the flow tables go there, and with
--- tables into the tables, too), go_on (of sluice.checkpoint: what was read before), ended_early
--- (called with the run before flows that are open are ended; true: they stay open).
function engine.open(recipes, opts)
  local err = ffi.new "struct sl_error"
  local inputs = ffi.new("const char *[?]", #opts.inputs)
  for i, name in ipairs(opts.inputs) do inputs[i - 1] = name end
  local o = ffi.new "struct sl_options"
  o.inputs, o.n_inputs, o.bpf = inputs, #opts.inputs, opts.bpf
  o.count, o.idle_s, o.max_flows = opts.count or 0, opts.idle or -1, opts.max_flows or 0
  o.interval_s, o.progress = interval_of(recipes), opts.progress and 1 or 0
  o.decap, o.in_flight = opts.decap and 1 or 0, opts.in_flight or 0
  o.live = opts.capture
  opts.deltas = wants_deltas(recipes, opts)
  o.deltas = opts.deltas and 1 or 0
  o.raw = is_raw(recipes, opts) and 1 or 0
  o.follow = opts.follow and 1 or 0
  o.sample, o.seed = opts.sample or 0, opts.seed or 0
  if opts.from then o.from = opts.from end
  if opts.to then o.to = opts.to end
  if opts.piece then o.begin, o["end"] = opts.piece.start, opts.piece.stop or 0 end
  local logs = opts.go_on and opts.go_on.logs
  local log_list = logs and log_parts(logs)
  if opts.go_on then o.begin, o.before = opts.go_on.start, opts.go_on.frames end
  if logs then o.logs, o.n_logs = log_list, #logs end
  local handle = C.sl_run_open(o, err)
  if handle == nil then error({ code = err.code, message = ffi.string(err.message) }, 0) end
  local self = new_run(ffi.gc(handle, C.sl_run_close), recipes, opts)
  self.every = o.interval_s
  self.kept_alive = { log_list, logs } -- the core borrows them
  if opts.sample then self:follow_sample() end
  if opts.flow_filter then self:need_flow_handlers() end
  if opts.write then self.writer = writer.open(handle, opts.write, self.groups) end
  for _, g in ipairs(self.groups) do
    g.tap = C.sl_run_tap(handle, g.flows and 1 or 0, g.look and 1 or 0)
    if g.tap == nil then self:fail() end
    meter(self, g)
    if g.inside then C.sl_tap_inside(g.tap) end
    if g.head > 0 and C.sl_tap_heads(g.tap, g.head) < 0 then self:fail() end
    fill_group(g, self.writer and self.writer.dropped)
  end
  if opts.log then self:start_log() end
  self.workers = crew.start(self)
  return self
end

--- A run over what pieces have logged for the flow tables (merge.logs), which has no packets. opts:
--- idle, flow_filter, compile, out, is_suite.
function engine.replay(recipes, opts, logs)
  local err = ffi.new "struct sl_error"
  local list = log_parts(logs)
  local o = ffi.new "struct sl_options"
  o.idle_s, o.logs, o.n_logs = opts.idle or -1, list, #logs
  local handle = C.sl_run_open(o, err)
  if handle == nil then error({ code = err.code, message = ffi.string(err.message) }, 0) end
  local self = new_run(ffi.gc(handle, C.sl_run_close), recipes, opts)
  self.logs = { list, logs } -- to be kept as long as the run
  local heads = false
  if opts.flow_filter then self:need_flow_handlers() end
  for _, g in ipairs(self.groups) do
    g.tap = C.sl_run_tap(handle, g.flows and 1 or 0, g.look and 1 or 0)
    if g.tap == nil then self:fail() end
    meter(self, g)
    if g.head > 0 and C.sl_tap_heads(g.tap, g.head) < 0 then self:fail() end
    heads = heads or g.head > 0
    fill_group(g)
  end
  self.workers = crew.of_replay(opts.workers, heads)
  if C.sl_run_start(handle, self.workers, 0, nil) < 0 then self:fail() end
  return self
end

--- The run of a worker (crew.lua), which shares filters and packet handlers with the main one.
function engine.worker(handle, recipes, opts)
  local self = new_run(handle, recipes, opts)
  self.interrupt_at = function() end -- the main program says who is at work
  for i, g in ipairs(self.groups) do
    g.tap = C.sl_run_tap_at(handle, i - 1)
    g.look = false
    fill_group(g)
  end
  return self
end

-- Estimates learn which blocks are read. Handlers that want flows would get pieces of them.
function Run:follow_sample()
  for _, r in ipairs(self.recipes) do
    local h = r.handlers
    if h.flow or h.flows or h.interval or r.state or r.head then
      recipe.fail("recipe %s: what sampled returns has packet and finish, nothing else", r.name)
    end
    estimate.follow(r.estimates, C.sl_run_blocks(self.handle))
  end
end

-- -F narrows flows; over a recipe that looks at packets only it would do nothing, without a word.
-- In a suite some may: its page says so.
function Run:need_flow_handlers()
  if self.opts.is_suite then return end
  for _, r in ipairs(self.recipes) do
    if not (r.handlers.flow or r.handlers.flows) then
      recipe.fail("-F: recipe %s looks at packets, not at flows: use -Y or -f", r.name)
    end
  end
end

-- What the flow tables want to know goes into a file, for the merge to decide flows.
function Run:start_log()
  local flows = false
  for _, g in ipairs(self.groups) do
    flows = flows or g.flows
    g.look = g.look and self.opts.tables
  end
  if not flows then return end
  if C.sl_run_log(self.handle, self.opts.log, self.opts.tables and 1 or 0) < 0 then self:fail() end
  self.logs_flows = true
end

--- Ends the log: its size, crc and sum (text); nil: nobody wanted flows.
function Run:end_log()
  if not self.logs_flows then return nil end
  local size, crc, sum = ffi.new "uint64_t[1]", ffi.new "uint32_t[1]", ffi.new "uint64_t[1]"
  if C.sl_run_log_end(self.handle, size, crc, sum) < 0 then self:fail() end
  return { size = tonumber(size[0]), crc = crc[0], sum = bit.tohex(sum[0]) }
end

--- Where the one input's reader began and ended: struct sl_edges, or nil.
function Run:edges()
  local edges = ffi.new "struct sl_edges"
  return C.sl_run_edges(self.handle, edges) == 1 and edges or nil
end

-- Whether nobody reads on what the recipes write; a run that counts a piece writes nothing.
function Run:out_failed()
  local out = self.opts.out
  return out and C.sl_out_error(out).code ~= 0
end

function Run:flush()
  if self.opts.out then C.sl_out_flush(self.opts.out) end
end

--- Frees the run. Whatever it gave (stats, times) is gone then.
function Run:close()
  C.sl_run_close(ffi.gc(self.handle, nil))
  self.handle = nil
end

--- Raises the core's error.
function Run:fail()
  local err = C.sl_run_error(self.handle)
  error({ code = err.code, message = ffi.string(err.message) }, 0)
end

-- Says which handler is at work, so that an error can be told with the recipe, the line, and what
-- it was about, and a recipe that does not return on Ctrl-C with its name.
function Run:enter(r, about, tap)
  local at = self.at
  at.recipe, at.about, at.tap = r, about, tap
  self.interrupt_at(r.name)
end

local function about_packet(at, packets)
  local tap = at.tap
  return (" (packet %d)"):format(tonumber(packets[tap.sel[tap.at]].number64))
end

local function about_flow(at)
  local f = at.tap.flows[at.tap.at]
  return (" (flow of packet %d)"):format(tonumber(f.number64))
end

local function about_nothing() return "" end

-- An error as main.lua tells it.
function Run:told(why)
  if recipe.is_told(why) then return why end
  local at = self.at
  if not at.recipe then
    return { code = 2, message = "internal error: " .. debug.traceback(tostring(why), 2) }
  end
  return { code = 2, message = ("recipe %s: %s%s"):format(at.recipe.name, recipe.told(why),
    at.about(at, self.shown)) }
end

-- Calls self[phase](self, ...), where errors of recipes get their names.
--
-- One xpcall stands around a whole phase, never around a loop: LuaJIT cannot compile the way out of
-- a loop through the frame of a pcall ("return to lower frame"), so that after every batch the
-- interpreter would have to find its way back into the compiled code.
function Run:guarded(phase, ...)
  local ok, why = xpcall(self[phase], function(why) return self:told(why) end, self, ...)
  if not ok then error(self:told(why), 0) end -- the handler had no room where the stack overflowed
  self.at.recipe = nil
end

function Run:intervals()
  local b = self.batch
  for k = b.ticked + 1, b.tick do
    for _, r in ipairs(self.recipes) do
      if r.handlers.interval then
        self:enter(r, about_nothing)
        local views = self.opts.live:open()
        r.handlers.interval(k * self.every, views)
        self.opts.live:show(views)
      end
    end
  end
end

local function without(list, r)
  local left = {}
  for _, l in ipairs(list) do
    if l.recipe ~= r then left[#left + 1] = l end
  end
  return left
end

-- A handler returned stop: its recipe has seen enough. The run ends when all have that see packets
-- or flows; one that sees none (summary) wants the capture to its end.
function Run:stop(r)
  local enough = true
  for _, g in ipairs(self.groups) do
    g.packet_loops, g.flow_loops = without(g.packet_loops, r), without(g.flow_loops, r)
    if #g.packet_loops + #g.flow_loops + #g.flow_lists > 0 then enough = false end
  end
  r.stopped = true
  for _, other in ipairs(self.recipes) do enough = enough and other.stopped end
  self.enough = enough
end

-- Leaves out what the run that this one goes on from has handed out.
local function pass_over(g)
  local tap, over = g.tap, g.over or 0
  g.handed = (g.handed or 0) + tap.n_flows
  if over == 0 then return end
  local n = math.min(over, tap.n_flows)
  g.over, tap.flows, tap.n_flows = over - n, tap.flows + n, tap.n_flows - n
end

-- Takes what the run before this one has logged.
function Run:go_on()
  local before = self.opts.go_on
  for i, g in ipairs(self.groups) do g.over = before.handed[i] end
  while true do
    local state = C.sl_run_replay(self.handle)
    for _, g in ipairs(self.groups) do self:flows(g) end
    if state == C.SL_STEP_INTERRUPTED then
      recipe.fail "interrupted: the checkpoint is as it was"
    end
    if state ~= C.SL_STEP_PACKETS then return end
  end
end

-- Hands out what a group's flow table has decided.
function Run:flows(g)
  local tap = g.tap
  while g.look and C.sl_tap_decided(tap) > 0 do
    pass_over(g)
    if self.flow_filter then self.flow_filter(tap) end
    for _, l in ipairs(g.flow_loops) do
      self:enter(l.recipe, about_flow, tap)
      if l.run(tap) then self:stop(l.recipe) end
    end
    for _, l in ipairs(g.flow_lists) do
      self:enter(l.recipe, about_nothing)
      l.run(tap.flows, tap.n_flows)
    end
  end
end

function Run:packets(g)
  local tap, packets = g.tap, self.shown
  C.sl_tap_begin(tap)
  if g.filter then
    g.filter(tap, packets)
    if self.writer then self.writer:narrowed(tap) end
  end
  if g.flows and C.sl_tap_flows(tap) < 0 then self:fail() end
  for _, l in ipairs(g.packet_loops) do
    self:enter(l.recipe, about_packet, tap)
    if l.run(tap, packets) then self:stop(l.recipe) end
  end
  self:flows(g)
end

-- One batch through everything. Returns true when -c is reached, or nobody reads on what -w writes.
function Run:step()
  local b = self.batch
  self.at.recipe = nil
  if b.tick > b.ticked then self:intervals() end
  if self.display then self.display(b, self.shown) end
  local last = C.sl_run_count(self.handle) == 1
  if self.writer then self.writer:begin() end
  for _, g in ipairs(self.groups) do self:packets(g) end
  if self.writer and not self:write() then return true end
  return last or self.enough
end

function Run:write()
  self.at.recipe = nil
  return self.writer:write(self.batch.packets)
end

-- Whether nobody looks at packets: then the core goes through batches without asking.
function Run:skims()
  local o = self.opts
  if self.writer or self.display or self.every > 0 or (o.count or 0) > 0 or #self.groups > 1 then
    return false
  end
  for _, g in ipairs(self.groups) do
    if g.filter or g.head > 0 or #g.packet_loops > 0 then return false end
  end
  return true
end

-- As pull, where nobody looks at packets; advance: sl_run_skim, or sl_run_replay.
function Run:skim(advance)
  while true do
    local state = advance(self.handle)
    for _, g in ipairs(self.groups) do self:flows(g) end
    if self.enough or self:out_failed() then return end
    if state == C.SL_STEP_WAIT then
      self:flush()
    elseif state ~= C.SL_STEP_PACKETS then
      self:ended(state)
      return
    end
  end
end

function Run:ended(state)
  if state ~= C.SL_STEP_INTERRUPTED then return end
  self.status, self.message = 130, "interrupted: the result holds what was read so far"
end

-- Batch after batch to the end of the inputs, of the output, or to -c.
function Run:pull()
  while true do
    local state = C.sl_run_next(self.handle)
    if state == C.SL_STEP_PACKETS then
      -- What -w writes shall be whole, whoever stops reading the result.
      if self:step() or (not self.writer and self:out_failed()) then return end
    elseif state == C.SL_STEP_WAIT then
      self:flush()
      if self.writer and not self.writer:flush() then return end
    else
      self:ended(state)
      return
    end
  end
end

-- As pull, where workers read: what is left to do here is what they have decided.
function Run:conduct()
  local names = crew.names(self)
  while true do
    self.at.recipe = nil
    self.interrupt_at(names)
    local state = C.sl_run_wait(self.handle)
    for _, g in ipairs(self.groups) do self:flows(g) end
    if self:out_failed() then return end
    if state == C.SL_STEP_WAIT then
      self:flush()
    elseif state ~= C.SL_STEP_PACKETS then
      self:ended(state)
      return
    end
  end
end

--- A worker's part.
function Run:work()
  self:guarded "share"
  local err = C.sl_run_error(self.handle)
  if err.code ~= 0 then self:fail() end
  crew.merge(self)
end

function Run:share()
  while C.sl_run_next(self.handle) == C.SL_STEP_PACKETS do
    self.at.recipe = nil
    if self.display then self.display(self.batch, self.shown) end
    C.sl_run_count(self.handle)
    for _, g in ipairs(self.groups) do self:packets(g) end
  end
end

-- What the flow tables still hold.
function Run:drain()
  for _, g in ipairs(self.groups) do
    if C.sl_tap_finish(g.tap) < 0 then self:fail() end
    self:flows(g)
  end
end

--- Reads to the end. Returns the exit status and a message or nil; whatever was read has been
--- handed to the recipes then, and finish can be called.
function Run:read()
  if self.opts.go_on and self.opts.go_on.logs then
    self:guarded "go_on"
    if C.sl_run_error(self.handle).code ~= 0 then self:fail() end
  end
  if self.workers > 0 then
    self:guarded "conduct"
  elseif self.logs then
    self:guarded("skim", C.sl_run_replay)
  elseif self:skims() then
    self:guarded("skim", C.sl_run_skim)
  else
    self:guarded "pull"
  end
  local err = C.sl_run_error(self.handle)
  if err.code ~= 0 then
    if err.code ~= 1 or self.logs then self:fail() end -- a log that cannot be taken
    self.status, self.message = err.code, ffi.string(err.message)
  end
  local ended_early = self.status and self.opts.ended_early
  if ended_early and ended_early(self) then return self.status, self.message end
  self:guarded "drain"
  self:tell_evicted()
  self:tell_heads()
  if not self.logs then self:tell_doubt() end
  return self.status or 0, self.message
end

-- Numbers of the inputs, from 0, and their names.
function Run:each_input()
  return function(_, i)
    local name = C.sl_run_input_name(self.handle, i + 1)
    if name == nil then return nil end
    return i + 1, ffi.string(name)
  end, nil, -1
end

-- A window that was sought in a capture whose times are in disorder may not be whole.
function Run:tell_doubt()
  for i, name in self:each_input() do
    if C.sl_run_window_doubt(self.handle, i) == 1 then
      self:tell(("%s: time goes back in the window, so packets of it may lie where --from and "
        .. "--to did not look; through a pipe all of it is read"):format(name))
    end
  end
end

-- How windows were found, for -v.
function Run:window_notes()
  local notes = {}
  for i, name in self:each_input() do
    local note = ffi.string(C.sl_run_window_note(self.handle, i))
    if note ~= "" then notes[#notes + 1] = name .. ": " .. note end
  end
  return notes
end

-- Flows that --max-flows ended early are no part of any result's text, so they are told apart.
function Run:tell_evicted()
  local evicted = 0
  for _, g in ipairs(self.groups) do
    local stats = C.sl_tap_stats(g.tap)
    if stats ~= nil then evicted = evicted + tonumber(stats.ended[C.SL_END_EVICTED]) end
  end
  if evicted == 0 then return end
  self:tell(("%d flows were ended early because of --max-flows %d"):format(evicted,
    self.opts.max_flows))
end

-- And flows whose first bytes found no memory.
function Run:tell_heads()
  local lost = 0
  for _, g in ipairs(self.groups) do lost = lost + tonumber(C.sl_tap_heads_lost(g.tap)) end
  if lost == 0 then return end
  self:tell(("the first bytes of %d sides of flows are cut: together they need more than 256 MiB")
    :format(lost))
end

function Run:tell(note)
  self.message = self.message and self.message .. "; " .. note or note
end

--- Completes what -w writes: after read, whatever that came back with.
function Run:finish_writing()
  if not self.writer then return end
  local note = self.writer:close()
  if note then self.message = self.message and self.message .. "; " .. note or note end
  return self.message
end

--- What the first flow table has counted, or nil; and packets earlier than the one before them.
function Run:flow_stats()
  local first = self.groups[1]
  local stats = first and C.sl_tap_stats(first.tap) or nil
  return stats, C.sl_run_stats(self.handle).backwards
end

--- What recipes may ask about the run in finish: see sluice.info.
function Run:info()
  local inputs, etags, sizes = {}, {}, {}
  for i = 1, math.huge do -- more than were named: a prefix stands for all blobs below it
    local name = C.sl_run_input_name(self.handle, i - 1)
    if name == nil then break end
    inputs[i] = ffi.string(name)
    local etag = ffi.string(C.sl_run_input_etag(self.handle, i - 1))
    if etag ~= "" then etags[i] = etag end
    sizes[i] = tonumber(C.sl_run_input_size(self.handle, i - 1))
  end
  local traffic = ffi.new "struct sl_traffic"
  C.sl_run_traffic(self.handle, traffic)
  local link_types = {}
  for i = 0, 63 do
    local name = C.sl_run_link_type(self.handle, i)
    if name == nil then break end
    link_types[i + 1] = ffi.string(name)
  end
  local stats = C.sl_run_stats(self.handle)
  return info.new { stats = stats, sample = sampling.of(self.handle, stats, self.opts.seed),
    flow_stats = self:flow_stats(), silent = not self.groups[1],
    inputs = inputs, etags = etags, sizes = sizes, link_types = link_types,
    status = self.status or 0,
    bytes_read = tonumber(C.sl_run_bytes_read(self.handle)), traffic = traffic,
    frames = tonumber(C.sl_run_frames(self.handle)),
    workers = self.workers, alone = self.alone }
end

function Run:finish_recipes(out, run)
  for _, r in ipairs(self.recipes) do
    if r.handlers.finish then
      out.recipe = r.name -- each view says whose it is
      self:enter(r, about_nothing)
      self.kept = r.handlers.finish(out, run, self.opts.before)
    end
  end
end

--- Calls every recipe's finish(out, info); adjust(info) gives another one. What the last one
--- returned is in self.kept: a recipe of two sides gets it as the third argument in its second run.
function Run:finish(out, adjust)
  local run = self:info()
  if adjust then run = adjust(run) end
  self:guarded("finish_recipes", out, run)
  return run
end

return engine
