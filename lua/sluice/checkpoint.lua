-- --checkpoint FILE: what a run that ends early (a lost line, an expired SAS, Ctrl-C) has counted,
-- and what the flow tables know (as logs, sluice.partial), so that the same command goes on from
-- there. What both runs have written one behind the other is what one unbroken run writes.
local ffi = require "ffi"
local C = require("sluice.abi").C
local merge = require "sluice.merge"
local partial = require "sluice.partial"
local plan = require "sluice.plan"
local recipe = require "sluice.recipe"
local tally = require "sluice.tally"
local uses = require "sluice.uses"

local checkpoint = {}

-- Options that end a run at a place of their own, or write what cannot be gone on with.
local NEVER = { { "count", "-c" }, { "from", "--from" }, { "to", "--to" }, { "write", "-w" },
  { "sample", "--sample" }, { "partial", "--partial" }, { "follow", "--follow" },
  { "interface", "-i" }, { "max_flows", "--max-flows" } }

-- Why a recipe keeps what no file holds, or nil.
local function unkept(r)
  local h = r.handlers
  if r.sides then return "compares two captures" end
  if r.open then return "makes its aggregates as it goes: write it as a recipe" end
  if r.state then return "keeps state beside flows" end
  if h.interval then return "has an interval handler" end
  for _, kind in ipairs { "packet", "flow" } do
    local safe, why = true, nil
    if h[kind] then safe, why = uses.parallel(h[kind], kind) end
    if not safe then return why end
  end
  return nil
end

local function check(o, words)
  for _, x in ipairs(NEVER) do
    if o[x[1]] then recipe.fail("--checkpoint and %s exclude each other", x[2]) end
  end
  if #words ~= 1 then recipe.fail "--checkpoint is of one input" end
  if o.form == "zeek" then recipe.fail "--checkpoint: conn.log cannot be gone on with" end
end

local function known_of(input)
  if input == "-" then recipe.fail "--checkpoint: standard input cannot be gone on with" end
  local planned = plan.opened(input)
  if planned.can_cut == 0 then
    recipe.fail("--checkpoint: %s is compressed, or cannot be read from the middle",
      ffi.string(planned.name))
  end
  return planned
end

local function there(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- The checkpoint that the last run has left, checked against this one.
local function read(path, o, recipes, known)
  local pieces, parts = merge.read({ path }, recipes, o, true, true)
  local at = pieces[1].checkpoint
  if not at then partial.refuse(path, "it is no checkpoint, but a partial result") end
  local name = ffi.string(known.name)
  if not plan.is_same(known, at.size, at.head) then
    partial.refuse(path, "it is of another capture than %s, or this is shorter now", name)
  end
  if at.stop_state ~= known.state then
    partial.refuse(path, "%s cannot be read on from byte %d without what lies before it "
      .. "(interfaces or sections): run without --checkpoint", name, at.stop)
  end
  if at.form ~= (o.form or o.file or "text") then
    partial.refuse(path, "it is of a run with the result in the form %s", at.form)
  end
  return { path = path, piece = pieces[1], parts = parts, at = at, start = at.stop,
    handed = at.handed, frames = at.frames, logs = merge.logs(parts) }
end

local Checkpoint = {}
Checkpoint.__index = Checkpoint

--- For a run over an input, before recipes start. go_on: what stands in the file, for engine.open;
--- nil: it is not there.
function checkpoint.open(o, words, recipes)
  check(o, words)
  local self = setmetatable({ path = o.checkpoint, known = known_of(words[1]), options = o,
    recipes = recipes }, Checkpoint)
  if there(self.path) then
    self.go_on = read(self.path, o, recipes, self.known)
    o.rows_before = self.go_on.at.rows
  end
  return self
end

-- What recipes were given then they must be given now.
local function check_given(path, r, before)
  for name, v in pairs(r.given) do
    if before[name] ~= v then
      partial.refuse(path, "it is of a run with --%s %s", name, tostring(before[name]))
    end
  end
end

--- Behind the recipes' start: fails where they keep what no checkpoint holds. rows: flows in lists
--- go out as rows. Opens the file, into which events are logged.
function Checkpoint:begin(rows)
  for i, r in ipairs(self.recipes) do
    local why = unkept(r) or r.handlers.flows and not rows and "takes flows in lists"
    if why then
      recipe.fail("--checkpoint: recipe %s keeps what no checkpoint holds: %s", r.name, why)
    end
    if self.go_on then check_given(self.path, r, self.go_on.piece.recipes[i].options) end
  end
  self.file, self.old = partial.open(self.path, "--checkpoint"), {}
  for i, part in ipairs(self.go_on and self.go_on.parts or {}) do
    self.old[i] = part[1]
    if part[1].log then part[1].log = self.file:copy_log(part[2].path, part[1].log) end
  end
end

--- Adds what had been counted to what this run has begun to count.
function Checkpoint:add_counts()
  if self.go_on then merge.add_counts({ self.go_on.piece }, self.go_on.parts, self.recipes) end
end

--- The statistics of both runs, in place of those of this one. info: of sluice.info.
function Checkpoint:add_statistics(info)
  if not self.go_on then return info end
  local backwards = info.stats.backwards
  local stats = ffi.new "struct sl_stats"
  ffi.copy(stats, info.stats, ffi.sizeof(stats))
  info.stats = stats
  local types = {}
  for _, part in ipairs(self.go_on.parts) do
    tally.add(info.stats, part[1].statistics)
    merge.add_new(types, part[1].link_types)
  end
  info.stats.backwards = backwards -- the clock has seen all of it
  merge.add_new(types, info.link_types)
  info.link_types = types
  return info
end

-- The run has ended early, and flows that are open have not been ended.
function Checkpoint:write(run, out)
  local edges, log = run:edges(), run:end_log()
  if log then self.file:logged(log) end
  local handed, flows = {}, false
  for i, g in ipairs(run.groups) do
    handed[i], flows = g.handed or 0, flows or g.flows
  end
  local parts = { unpack(self.old) }
  parts[#parts + 1] = partial.part(run:info(), flows, log, nil)
  self.file:finish(self.options, self.recipes, parts, false, {
    stop = tonumber(edges["end"]), stop_state = edges.end_state, head = self.known.head,
    size = tonumber(self.known.size),
    frames = tonumber(C.sl_run_frames(run.handle)), handed = handed,
    rows = out:rows_written(), form = self.options.form or self.options.file or "text" })
  return ("%s holds what was read: the same command goes on from byte %.0f"):format(self.path,
    tonumber(edges["end"]))
end

--- Writes the file, when the run has ended early. Returns what is to be said, and whether it is
--- there: rows of flows may stay open then.
function Checkpoint:leave(run, out)
  local ok, why = pcall(self.write, self, run, out)
  if ok then return why, true end
  return "no checkpoint: " .. (recipe.is_told(why) and why.message or tostring(why)), false
end

--- The run has reached its end: there is nothing to go on with.
function Checkpoint:done()
  if self.go_on then os.remove(self.path) end
end

return checkpoint
