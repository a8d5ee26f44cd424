-- One run: recipes over a capture. Lua pulls: it asks the core for a batch, narrows it by filters,
-- lets the core update the flow tables, and walks packets and decided flows in its own loops. The
-- core never calls Lua.
local ffi = require "ffi"
local C = require("sluice.abi").C
local crew = require "sluice.crew"
local estimate = require "sluice.estimate"
local groups = require "sluice.groups"
local guard = require "sluice.guard"
local info = require "sluice.info"
local loops = require "sluice.loops"
local recipe = require "sluice.recipe"
local run_notes = require "sluice.run_notes"
local run_open = require "sluice.run_open"
local writer = require "sluice.writer"

local engine = {}

local about_packet, about_flow, about_nothing = guard.about_packet, guard.about_flow,
  guard.about_nothing

local GAP_MAX = 100000 -- intervals in which nothing happens, one behind the other

local Run = {}
Run.__index = Run

-- A run over recipes whose core is there already.
local function new_run(handle, recipes, opts, is_worker)
  local self = setmetatable({ handle = handle, opts = opts, recipes = recipes,
    batch = C.sl_run_batch(handle) }, Run)
  -- const: a handler that writes p.dport = 443 where it meant == is told so.
  self.shown = ffi.cast("const struct sl_packet *", self.batch.packets)
  self.guard = guard.new(handle, self.shown, is_worker)
  self.groups = groups.of(recipes, opts)
  self.display = opts.display and loops.packet_filter(opts.display, "-Y")
  self.flow_filter = opts.flow_filter and loops.flow_filter(opts.flow_filter, "-F")
  return self
end

-- Estimates learn which blocks are read. Handlers that want flows would get pieces of them.
local function follow_sample(handle, recipes)
  for _, r in ipairs(recipes) do
    local h = r.handlers
    if h.flow or h.flows or h.interval or r.state or r.head then
      recipe.fail("recipe %s: what sampled returns has packet and finish, nothing else", r.name)
    end
    estimate.follow(r.estimates, C.sl_run_blocks(handle))
  end
end

-- -F narrows flows; over a recipe that looks at packets only it would do nothing, without a word.
-- In a suite some may: its page says so.
local function need_flow_handlers(recipes, opts)
  if not opts.flow_filter or opts.is_suite then return end
  for _, r in ipairs(recipes) do
    if not (r.handlers.flow or r.handlers.flows) then
      recipe.fail("-F: recipe %s looks at packets, not at flows: use -Y or -f", r.name)
    end
  end
end

--- Opens the inputs and sets the groups up. opts: inputs, bpf, display (a condition of -Y),
--- flow_filter (of -F), from, to (struct sl_when), follow, compile, count, idle, max_flows, decap,
--- in_flight, progress, out (struct sl_out), live (what interval shows), write (of writer.wanted),
--- is_suite, workers, split_bytes, script (struct sl_script), sample (a part, to 1), seed, piece
--- (of sluice.plan), opened (of plan.opened: the one input), log (struct sl_outfile: events for the
--- flow tables go there, and with tables into the tables, too), go_on (of sluice.checkpoint: what
--- was read before), ended_early (called with the run before flows that are open are ended; true:
--- they stay open).
function engine.open(recipes, opts)
  local handle, every, deltas, kept = run_open.inputs(recipes, opts)
  opts.deltas = deltas
  local self = new_run(handle, recipes, opts)
  self.every, self.kept_alive = every, kept
  if opts.sample then follow_sample(handle, recipes) end
  need_flow_handlers(recipes, opts)
  if opts.write then self.writer = writer.open(handle, opts.write, self.groups) end
  for _, g in ipairs(self.groups) do
    groups.open(g, handle, self.writer and self.writer.dropped)
  end
  if opts.log then self:start_log() end
  self.workers = crew.start(self)
  return self
end

--- A run over what pieces have logged for the flow tables (merge.logs), which has no packets. opts:
--- idle, flow_filter, compile, out, is_suite.
function engine.replay(recipes, opts, logs)
  local handle, kept = run_open.logs(opts, logs)
  local self = new_run(handle, recipes, opts)
  self.logs = kept
  local heads = false
  need_flow_handlers(recipes, opts)
  for _, g in ipairs(self.groups) do
    groups.open(g, handle)
    heads = heads or g.head > 0
  end
  self.workers = crew.of_replay(opts.workers, heads)
  if C.sl_run_start(handle, self.workers, 0, nil) < 0 then self:fail() end
  return self
end

--- The run of a worker (crew.lua), which shares filters and handlers with the main one.
function engine.worker(handle, recipes, opts)
  local self = new_run(handle, recipes, opts, true)
  self.every = 0
  for i, g in ipairs(self.groups) do
    g.tap = C.sl_run_tap_at(handle, i - 1)
    g.look = false
    groups.fill(g)
  end
  return self
end

function Run:fail() guard.fail(self.handle) end

-- Calls self[phase](self, ...), where errors of recipes get their names.
function Run:guarded(phase, ...)
  self.guard:call(self[phase], self, ...)
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
  local err = ffi.new "struct sl_error"
  if C.sl_run_log_end(self.handle, size, crc, sum, err) < 0 then
    error({ code = err.code, message = ffi.string(err.message) }, 0)
  end
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

function Run:interval(k)
  for _, r in ipairs(self.recipes) do
    if r.handlers.interval then
      self.guard:enter(r, about_nothing)
      local views = self.opts.live:open()
      r.handlers.interval(k * self.every, views)
      self.opts.live:show(views)
    end
  end
end

-- Captures whose stamps are years apart have more intervals between them than anybody looks at:
-- of the longest gaps the first ones are told, and the last.
function Run:intervals()
  local first, last = self.batch.ticked + 1, self.batch.tick
  local over = math.max(last - first + 1 - GAP_MAX, 0)
  for k = first, last - over - 1 do self:interval(k) end
  self:interval(last)
  self.intervals_over = (self.intervals_over or 0) + over -- for run_notes
end

-- A handler returned stop: its recipe has seen enough. The run ends when all have that see packets
-- or flows; one that sees none (summary) wants the capture to its end.
function Run:stop(r)
  local enough = groups.leave_out(self.groups, r)
  r.stopped = true
  for _, other in ipairs(self.recipes) do enough = enough and other.stopped end
  self.enough = enough
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
    groups.pass_over(g)
    if self.flow_filter then self.flow_filter(tap) end
    for _, l in ipairs(g.flow_loops) do
      self.guard:enter(l.recipe, about_flow, tap)
      if l.run(tap) then self:stop(l.recipe) end
    end
    for _, l in ipairs(g.flow_lists) do
      self.guard:enter(l.recipe, about_nothing)
      l.run(tap.flows, tap.n_flows)
    end
    if g.gives then C.sl_tap_give(tap) end
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
    self.guard:enter(l.recipe, about_packet, tap)
    if l.run(tap, packets) then self:stop(l.recipe) end
  end
  self:flows(g)
end

-- One batch through everything. Returns true when -c is reached, or nobody reads on what -w writes.
function Run:step()
  local b = self.batch
  self.guard:leave()
  if b.tick > b.ticked then self:intervals() end
  if self.display then self.display(b, self.shown) end
  local last = C.sl_run_count(self.handle) == 1
  if self.writer then self.writer:begin() end
  for _, g in ipairs(self.groups) do self:packets(g) end
  if self.writer and not self:write() then return true end
  return last or self.enough
end

function Run:write()
  self.guard:leave()
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
    self.guard:leave(names)
    local state = C.sl_run_wait(self.handle)
    for _, g in ipairs(self.groups) do self:flows(g) end
    if self:out_failed() then
      C.sl_run_halt(self.handle)
      return
    end
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
  local skims = self:skims()
  local advance = skims and C.sl_run_skim or C.sl_run_next
  while true do
    local state = advance(self.handle)
    self.guard:leave()
    if state == C.SL_STEP_FLOWS then
      crew.take(self)
    elseif state ~= C.SL_STEP_PACKETS then
      return
    elseif not skims then
      if self.display then self.display(self.batch, self.shown) end
      C.sl_run_count(self.handle)
      for _, g in ipairs(self.groups) do self:packets(g) end
    end
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
  self.message = run_notes.doubts(self)
  return self.status or 0, self.message
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
  return info.of(self.handle, { seed = self.opts.seed, flow_stats = self:flow_stats(),
    silent = not self.groups[1], status = self.status or 0, workers = self.workers,
    alone = self.alone })
end

function Run:finish_recipes(out, run)
  for _, r in ipairs(self.recipes) do
    if r.handlers.finish then
      out.recipe = r.name -- each view says whose it is
      self.guard:enter(r, about_nothing)
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
