-- The program: src/script.c calls this file with the command line and what the core knows of
-- itself. It returns the exit status and a message for standard error, or nil.
local arguments, core = ...

-- Modules come from sluice's own folder and the system's, never from the current one: it may be
-- full of strangers' files.
for _, which in ipairs { "path", "cpath" } do
  package[which] = ((";" .. package[which]):gsub(";%./[^;]*", "")):sub(2)
end
require("sluice.abi").load(core.text, core.sizes)

local ffi = require "ffi"
local C = ffi.C
local late = require "sluice.late"
local builtin = require "sluice.builtin"
local check = late "sluice.check"
local checkpoint = late "sluice.checkpoint"
local cli = require "sluice.cli"
local crew = require "sluice.crew"
local engine = require "sluice.engine"
local eval = late "sluice.eval"
local filters = late "sluice.filters"
local geo = require "sluice.geo"
local help = late "sluice.help"
local live = require "sluice.live"
local merge = late "sluice.merge"
local mergeable = late "sluice.mergeable"
local nearest = require "sluice.nearest"
local output = require "sluice.output"
local partial = late "sluice.partial"
local plans = late "sluice.plan"
local places = require "sluice.places"
local recipe = require "sluice.recipe"
local run_notes = require "sluice.run_notes"
local sampling = require "sluice.sampling"
local services = require "sluice.services"
local starter = late "sluice.starter"
local statistics = late "sluice.statistics"
local suite = require "sluice.suite"
local times = late "sluice.times"
local trace = require "sluice.trace"
local url_file = late "sluice.url_file"
local writer = require "sluice.writer"
require "sluice.objects"

-- Many handlers make many traces; the defaults are for one program of ordinary size.
require("jit.opt").start("maxtrace=10000", "maxrecord=16000", "maxmcode=16384", "sizemcode=256")

local RESERVED = { "eval", "recipes", "fields", "new", "check", "merge", "plan", "help" }
-- Commands that a recipe follows.
local BEFORE_RECIPE = { merge = "merges", plan = "plans" }

-- Most runs have no filter: the compiler is loaded with the first one.
local function compile(...)
  return filters.compile(...)
end

local function load_recipe(name)
  local path = recipe.path(core.folder, name)
  if not path then
    local known = {}
    for _, n in ipairs(builtin) do known[#known + 1] = n end
    for _, n in ipairs(RESERVED) do known[#known + 1] = n end
    local near = nearest.word(name, known)
    recipe.fail("no recipe or file '%s'%s: `sluice recipes` lists the built-in ones", name,
      near and (" (did you mean %s?)"):format(near) or "")
  end
  return recipe.load(path, name)
end

local function words_of(names)
  local list = {}
  for name in (names .. ","):gmatch "([^,]*)," do list[#list + 1] = name end
  return list
end

local function is_input(word)
  if word == "-" or word:match "^https?://" then return true end
  local file = io.open(word, "r")
  if file then file:close() end
  return file ~= nil
end

-- What the first word of the command line chooses: { plan } or a command; nil: it is an input.
local function choose(word)
  for _, name in ipairs(RESERVED) do
    if word == name then return { command = name } end
  end
  if word:match "%.lua$" or not is_input(word) or recipe.path(core.folder, word) then
    return { plan = suite.plan(words_of(word), load_recipe) }
  end
  return nil
end

local function declared_by(plan)
  local all = {}
  for _, r in ipairs(plan.recipes) do
    for name, spec in pairs(r.options) do all[name] = spec end
  end
  for name, spec in pairs(plan.options) do all[name] = spec end
  return all
end

-- -z: recipes beside those that were named, or alone. What tshark calls a conversation never idles.
local function add_statistics(p, chosen)
  local by_name, names = {}, {}
  for _, r in ipairs(chosen.by_default and {} or chosen.plan.named) do
    by_name[r.name], names[#names + 1] = r, r.name
  end
  for i, r in ipairs(statistics.recipes(p.options.statistics)) do
    names[#names + 1] = "statistics " .. i
    by_name[names[#names]] = r
  end
  chosen.plan = suite.plan(names, function(name) return by_name[name] or load_recipe(name) end)
  chosen.by_default = false
  p.options.idle = p.options.idle or 0
end

local function parse()
  local chosen, words = nil, arguments
  local before = BEFORE_RECIPE[words[1]]
  if before then words = { unpack(words, 2) } end
  local p = cli.parse(words, function(word)
    chosen = choose(word)
    if not chosen then return nil end
    if chosen.plan then return declared_by(chosen.plan) end
    return {}
  end)
  chosen = chosen or { plan = suite.plan({ "packets" }, load_recipe), by_default = true }
  if chosen.command == "eval" and not p.options.help then
    local text = table.remove(p.inputs, 1)
    if not text then recipe.fail "eval wants Lua text: sluice eval 'p.dport == 443' IN" end
    if #p.inputs == 0 and is_input(text) then
      recipe.fail("eval wants Lua text before the input: '%s' is a file", text)
    end
    chosen.plan = suite.single(eval.recipe(text))
  end
  if p.options.statistics and chosen.plan then add_statistics(p, chosen) end
  if before and not p.options.help then
    if not chosen.plan or chosen.by_default then
      recipe.fail("%s wants a recipe before the files: sluice %s RECIPE FILE...", arguments[1],
        arguments[1])
    end
    chosen[before] = true
  end
  return p, chosen
end

local function start_recipes(p, recipes, out)
  for _, r in ipairs(recipes) do
    local opt = {}
    for name, spec in pairs(r.options) do
      local given = p.recipe_options[name]
      if given == nil then given = spec.default end
      opt[name] = given
    end
    r.given = opt
    if not core.worker then C.sl_interrupt_at(r.name) end
    recipe.start(r, opt, out, p.options.sample ~= nil)
  end
end

-- What recipes find before they start.
local function lay_out(o)
  if o.lua_memory then core.limit_memory(o.lua_memory * 2 ^ 20) end
  geo.use(o.geo or {}, core.folder .. "/data/country.mmdb")
  services.use(core.folder .. "/data/services.tsv")
end

-- The window of --from and --to: two struct sl_when or nil.
local function window_of(o)
  local window = {}
  for _, name in ipairs { "from", "to" } do
    if o[name] then
      window[name] = times.parse(o[name])
      if not window[name] then
        recipe.fail("--%s: '%s' is no time: 2026-11-24T06:30:00Z, epoch seconds, or +90s from the "
          .. "first packet", name, o[name])
      end
    end
  end
  if window.from and window.to and not times.in_order(window.from, window.to) then
    recipe.fail("--from %s is not before --to %s", o.from, o.to)
  end
  return window.from, window.to
end

local function tell_more(message, run, info)
  local lines = run_notes.windows(run.handle)
  if message then table.insert(lines, 1, message) end
  lines[#lines + 1] = info.account()
  return table.concat(lines, "\n")
end

-- more: inputs, write (of writer.wanted), before (what the other side's recipe returned).
local function open_run(p, plan, recipes, out, more)
  local o = p.options
  local from, to = window_of(o)
  local sample, seed = sampling.wanted(o)
  return engine.open(recipes, { inputs = more.inputs, bpf = o.bpf, count = o.count, idle = o.idle,
    max_flows = o.max_flows, decap = o.decap, in_flight = o.in_flight, from = from, to = to,
    follow = o.follow, sample = sample, seed = seed, progress = not o.quiet,
    out = out.handle, live = out:live(),
    capture = more.capture, piece = more.piece, log = more.log, tables = more.tables,
    opened = more.opened, go_on = more.go_on, ended_early = more.ended_early,
    compile = compile, write = more.write, before = more.before,
    is_suite = plan.is_suite,
    display = o.display and filters.compile(o.display, "packet"),
    flow_filter = o.flow_filter and filters.compile(o.flow_filter, "flow"),
    workers = o.workers, split_bytes = o.split_bytes,
    script = ffi.cast("const struct sl_script *", core.script) })
end

-- A recipe of two sides: one run for each input, the second of which shows.
local function compare(p, plan, out)
  if #p.inputs ~= 2 then
    recipe.fail("%s wants two captures: sluice %s BEFORE AFTER", plan.named[1].name,
      plan.named[1].name)
  end
  local before = open_run(p, plan, plan.recipes, out, { inputs = { p.inputs[1] } })
  local status, message = trace.reading(before.read, before)
  local first = before:finish(out.views)
  local r = plan.named[1]
  plan.recipes = { recipe.load(r.path, r.name) } -- aggregates of its own
  start_recipes(p, plan.recipes, out)
  local after = open_run(p, plan, plan.recipes, out, { inputs = { p.inputs[2] },
    before = before.kept })
  local status_after, message_after = trace.reading(after.read, after)
  local info = after:finish(out.views)
  info.inputs = { first.inputs[1], info.inputs[1] }
  if status == 0 then status, message = status_after, message_after end
  local code, why = out:finish(info, status, message)
  before:close()
  after:close()
  return code, why
end

local function check_forms(o)
  if o.file and o.form then
    recipe.fail "-T and -o exclude each other: the file's ending says the form"
  end
end

-- Shows the result, and says what else is to be said.
local function show_result(run, out, o, status, message)
  local info = run:finish(out.views)
  if o.verbose then message = tell_more(message, run, info) end
  return out:finish(info, status, message)
end

-- Instead of the result what it is made of, for merge_pieces. file: of partial.open.
local function write_partial(run, p, recipes, file, piece, by_log)
  local flows, log = false, run:end_log()
  for _, g in ipairs(run.groups) do flows = flows or g.flows end
  if log then file:logged(log) end
  if piece then plans.note_edges(piece, run:edges()) end
  file:finish(p.options, recipes, { partial.part(run:info(), flows, log, piece) }, by_log)
end

-- What the pieces have left to the merge: flows. Its statistics are those of the whole.
local function replay(p, plan, out, total, logs)
  local o = p.options
  local run = engine.replay(plan.recipes, { idle = o.idle, workers = o.workers,
    compile = compile,
    flow_filter = o.flow_filter and filters.compile(o.flow_filter, "flow"),
    out = out.handle, is_suite = plan.is_suite }, logs)
  local status, message = run:read()
  total.flow_stats, total.stats.backwards = run:flow_stats()
  if status ~= 0 then total.status = status end
  return run, message
end

-- sluice merge
local function merge_pieces(p, chosen)
  local o, plan = p.options, chosen.plan
  check_forms(o)
  merge.check(o)
  lay_out(o)
  o.arguments, o.version = arguments, core.version
  local pieces, parts = merge.read(p.inputs, plan.recipes, o, o.partial)
  o.merges = true
  local out = o.partial and output.mute(o, plan) or output.open(o, plan)
  merge.start(pieces, plan.recipes, p.recipe_options, out)
  if o.partial then
    merge.add(pieces, parts, plan.recipes)
    merge.write(o.partial, o, plan.recipes, parts, pieces[1].by_log)
    return 0
  end
  out:only_rows(#plan.recipes)
  out:check()
  local total, logs = merge.add(pieces, parts, plan.recipes), merge.logs(parts)
  local run, message
  if logs then run, message = replay(p, plan, out, total, logs) end
  merge.finish(plan.recipes, out.views, total)
  message = message or merge.note(parts, total)
  if o.verbose then message = (message and message .. "\n" or "") .. total.account() end
  local code, why = out:finish(total, total.status, message)
  if run then run:close() end -- not before: what the views show may still stand in its memory
  return code, why
end

-- What --partial asks for: the recipes' counts over all inputs, or over a piece of a plan.
local function count_partly(p, chosen)
  local o, plan, piece, opened = p.options, chosen.plan, nil, nil
  check_forms(o)
  lay_out(o)
  o.version = core.version
  if o.piece then p.inputs, piece, opened = plans.piece(p.inputs, o, plan.named) end
  start_recipes(p, plan.recipes, output.mute(o, plan))
  local by_log = mergeable.check(o, plan.recipes)
  local file = partial.open(o.partial)
  local run = open_run(p, plan, plan.recipes, { live = function() end }, { inputs = p.inputs,
    piece = piece, opened = opened, log = by_log and file.handle or nil })
  local status, message = trace.reading(run.read, run)
  write_partial(run, p, plan.recipes, file, piece, by_log)
  run:close()
  return status, message
end

-- A run that leaves a checkpoint where it ends early, and goes on from one that is there.
local function with_checkpoint(p, plan, out, kept)
  local left, is_left
  kept:begin(out.gives_rows)
  local run = open_run(p, plan, plan.recipes, out, { inputs = p.inputs, log = kept.file.handle,
    opened = kept.known, tables = true, go_on = kept.go_on, ended_early = function(run)
      left, is_left = kept:leave(run, out)
      return is_left and out.gives_rows
    end })
  kept:add_counts()
  local status, message = trace.reading(run.read, run)
  if left then message = message .. "; " .. left end
  local info = is_left and out.gives_rows and run:info()
    or run:finish(out.views, function(info) return kept:add_statistics(info) end)
  if p.options.verbose then message = tell_more(message, run, info) end
  local code, why = out:finish(info, status, message)
  run:close()
  if code == 0 then kept:done() end
  return code, why
end

local function analyse(p, chosen)
  local o, plan = p.options, chosen.plan
  local recipes = plan.recipes
  if o.url_file and not o.piece then url_file.read(o.url_file, p.inputs) end
  local capture = live.wanted(o, p.inputs)
  if #p.inputs == 0 and not capture then
    recipe.fail "no input: give a path, a URL, or - for standard input"
  end
  if o.partial then return count_partly(p, chosen) end
  if o.piece then recipe.fail "--piece counts a piece only: give --partial FILE, too" end
  check_forms(o)
  local write = writer.wanted(o)
  if write and chosen.by_default then
    recipes = {} -- who writes wants no list of packets
  elseif o.write == "-" and not o.file then
    recipe.fail "-w - and the result both want standard output: give the result a file with -o"
  end
  if sampling.wanted(o) then
    sampling.check(o, recipes, o.display and filters.compile(o.display, "packet"))
  end
  lay_out(o)
  o.arguments, o.version = arguments, core.version
  local kept = o.checkpoint and checkpoint.open(o, p.inputs, recipes)
  local out = output.open(o, plan)
  start_recipes(p, recipes, out)
  out:only_rows(#recipes)
  out:check()
  if kept then return with_checkpoint(p, plan, out, kept) end
  if plan.named[1].sides then return compare(p, plan, out) end
  local run = open_run(p, plan, recipes, out, { inputs = p.inputs, write = write,
    capture = capture })
  if capture then live.drop_privileges(o) end
  local status, message = trace.reading(run.read, run)
  message = run:finish_writing() or message
  if capture then status, message = live.account(run.handle, status, message) end
  local code, why = show_result(run, out, o, status, message)
  run:close() -- not before: what the views show may still stand in the run's memory
  return code, why
end

-- sluice plan
local function plan_pieces(p, chosen)
  local o, plan = p.options, chosen.plan
  if o.url_file then url_file.read(o.url_file, p.inputs) end
  lay_out(o)
  start_recipes(p, plan.recipes, output.mute(o, plan))
  o.piece, o.merges = true, true
  mergeable.check(o, plan.recipes)
  return plans.write(p.inputs, o, plan.named)
end

-- What a worker of the crew does (src/run/crew.h), with the program's command line.
local function work(p, chosen)
  local o, recipes = p.options, chosen.plan.recipes
  lay_out(o)
  start_recipes(p, recipes, output.mute(o, chosen.plan))
  local run = engine.worker(crew.worker(core.worker), recipes, { compile = compile,
    display = o.display and filters.compile(o.display, "packet") })
  run:work()
  return 0
end

local function show_help(chosen, inputs)
  if chosen.command == "recipes" then
    local list = {}
    for i, name in ipairs(builtin) do list[i] = load_recipe(name) end
    for _, name in ipairs(places.names(builtin)) do list[#list + 1] = load_recipe(name) end
    return help.recipes(list)
  end
  if chosen.command == "new" then return starter.write(inputs[1]) end
  if chosen.command == "check" then
    return check.file(inputs, core.folder .. "/data/sample.pcap.xz")
  end
  if chosen.command == "fields" then return help.fields(inputs) end
  if chosen.plan and not chosen.by_default then return help.recipe(chosen.plan) end
  return help.program(core.version)
end

local function main()
  local p, chosen = parse()
  if core.worker then return work(p, chosen) end
  if p.options.interfaces then return live.list() end
  if p.options.version then return help.version(core.version, core.libraries()) end
  local asks = chosen.command and chosen.command ~= "eval"
  if #arguments == 0 or p.options.help or asks then return show_help(chosen, p.inputs) end
  if chosen.merges then return merge_pieces(p, chosen) end
  if chosen.plans then return plan_pieces(p, chosen) end
  return analyse(p, chosen)
end

local ok, status, message = xpcall(main, function(why)
  if recipe.is_told(why) then return why end
  return { code = 2, message = "internal error: " .. debug.traceback(tostring(why), 2) }
end)
if not ok then return status.code, status.message end
if not core.worker then C.sl_interrupt_at "" end
return status or 0, message
