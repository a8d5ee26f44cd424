-- sluice merge RECIPE FILE…: the result that one run over all captures would give, from the partial
-- results (sluice.partial) of runs over each.
local ffi = require "ffi"
local info = require "sluice.info"
local partial = require "sluice.partial"
local parts = require "sluice.parts"
local recipe = require "sluice.recipe"
local tally = require "sluice.tally"

local merge = {}

local refuse = partial.refuse

-- ---- the same run ----

local function difference(a, b)
  local names, list = {}, {}
  for name in pairs(a) do names[name] = true end
  for name in pairs(b) do names[name] = true end
  for name in pairs(names) do
    if a[name] ~= b[name] then list[#list + 1] = name end
  end
  table.sort(list)
  return list[1]
end

local function said(v)
  return v == nil and "none" or tostring(v)
end

-- Fails unless a piece was made by the recipes that are given, whose list is named.
local function check_recipes(piece, recipes)
  local have, want = {}, {}
  for i, r in ipairs(piece.recipes) do have[i] = r.name end
  for i, r in ipairs(recipes) do want[i] = r.name:match "[^/]*$" end
  if table.concat(have, ",") ~= table.concat(want, ",") then
    refuse(piece.path, "it is of %s, not of %s", table.concat(have, ","), table.concat(want, ","))
  end
  for i, r in ipairs(recipes) do
    if piece.recipes[i].sha256 ~= partial.hash_of(r) then
      refuse(piece.path, "recipe %s was another text when it was run: run it again", want[i])
    end
  end
end

local function check_options(piece, first)
  local name = difference(piece.options, first.options)
  if name then
    refuse(piece.path, "its option %s is %s, that of %s is %s", name, said(piece.options[name]),
      first.path, said(first.options[name]))
  end
  for i, r in ipairs(piece.recipes) do
    name = difference(r.options, first.recipes[i].options)
    if name then
      refuse(piece.path, "its --%s is %s, that of %s is %s", name, said(r.options[name]),
        first.path, said(first.recipes[i].options[name]))
    end
  end
  if table.concat(piece.databases, "; ") ~= table.concat(first.databases, "; ") then
    refuse(piece.path, "its database is %s, that of %s is %s", table.concat(piece.databases, "; "),
      first.path, table.concat(first.databases, "; "))
  end
end

-- ---- nothing twice ----

local function check_twice(path, part, seen)
  local packets = part.statistics.packets > 0
  local before = packets and seen.counted[part.digest]
  if before then refuse(path, "%s holds the same counts: is it the same capture?", before) end
  seen.counted[part.digest] = path
  for _, input in ipairs(part.inputs) do
    local key = packets and input.size and input.size .. " " .. input.head
    before = key and seen.inputs[key]
    if before then refuse(path, "%s is in %s already", input.name, before) end
    if key then seen.inputs[key] = path end
  end
end

-- Pieces of a plan may have been run twice; pieces.order looks at them.
local function check_parts(piece, seen)
  for _, part in ipairs(piece.parts) do
    if not part.piece then check_twice(piece.path, part, seen) end
  end
end

-- ---- options ----

-- Options of recipes: those of the pieces. Who gives another one means another run; but how many
-- rows are shown is the merge's own.
local function options_for(r, stored, given)
  local opt = {}
  for name, spec in pairs(r.options) do
    opt[name] = stored[name]
    if opt[name] == nil then opt[name] = spec.default end
    local own = given[name]
    if own ~= nil and own ~= opt[name] then
      if name ~= "top" then
        recipe.fail("--%s %s: the pieces were made with %s: make them again", name, said(own),
          said(opt[name]))
      end
      opt[name] = own
    end
  end
  return opt
end

-- Options that say how captures are read: partial results have been.
local READING = { { "count", "-c" }, { "max_flows", "--max-flows" }, { "follow", "--follow" },
  { "sample", "--sample" }, { "write", "-w" }, { "interface", "-i" },
  { "checkpoint", "--checkpoint" }, { "piece", "--piece" }, { "pieces", "--pieces" },
  { "piece_size", "--piece-size" }, { "url_file", "--url-file" } }

--- Fails where merge is given what only reading a capture could follow.
function merge.check(options)
  for _, o in ipairs(READING) do
    if options[o[1]] then
      local where = o[1] == "url_file" and ": plan and --piece take it (scripts/engines: "
        .. "SLUICE_URL_FILE)" or ""
      recipe.fail("merge reads partial results, no captures: %s is not for it%s", o[2], where)
    end
  end
end

--- Reads the files and checks that they belong together. Sets in o what decides what is counted.
--- partly: pieces of a plan may be missing; resumes: the file is a checkpoint. Returns the files
--- whose counts are to be added, and their parts in the order of the capture: { part, file }.
function merge.read(paths, recipes, o, partly, resumes)
  if #paths == 0 then recipe.fail "merge: no partial results: give the files of --partial" end
  local pieces, seen = {}, { counted = {}, inputs = {} }
  for i, path in ipairs(paths) do
    local piece = partial.read(path)
    pieces[i] = piece
    if piece.checkpoint and not resumes then
      refuse(path, "it is a checkpoint: the same command with --checkpoint goes on from it")
    end
    partial.believe(path, check_recipes, piece, recipes)
    partial.believe(path, check_options, piece, pieces[1])
    if not resumes then partial.believe(path, check_parts, piece, seen) end
  end
  for _, name in ipairs(partial.options) do
    if o[name] ~= nil and o[name] ~= pieces[1].options[name] then
      recipe.fail("merge: %s is %s, but the pieces were made with %s: make them again", name,
        said(o[name]), said(pieces[1].options[name]))
    end
    o[name] = pieces[1].options[name]
  end
  if resumes then return pieces, parts.as_they_stand(pieces) end
  return parts.order(pieces, partly)
end

--- Starts the recipes with the options of the pieces.
function merge.start(pieces, recipes, given, out)
  for i, r in ipairs(recipes) do
    r.given = pieces[1].recipes[i].options
    recipe.start(r, options_for(r, r.given, given), out)
  end
end

-- ---- adding up ----

-- before: frames of the pieces before it in time. Where flows are left to the merge a recipe may
-- count nothing in the form that is asked for here, because its rows go out as they come.
local function add_aggregates(piece, recipes, before)
  for i, r in ipairs(recipes) do
    local theirs, ours = piece.recipes[i].aggregates, partial.counted(r, piece.by_log)
    if piece.by_log and #ours == 0 then theirs = ours end
    if #theirs ~= #ours then
      refuse(piece.path, "recipe %s has %d aggregates there, %d here", r.name, #theirs, #ours)
    end
    for k, a in ipairs(ours) do
      local ok, why = pcall(a.merge, a, theirs[k].bytes, before)
      if not ok then refuse(piece.path, "%s", (tostring(why):gsub("^[^ ]+:%d+: ", ""))) end
    end
  end
end

function merge.add_new(list, words)
  local known = {}
  for _, word in ipairs(list) do known[word] = true end
  for _, word in ipairs(words) do
    if not known[word] then list[#list + 1] = word end
  end
end

-- How many frames one run would have met before those of each file. Only where every file has its
-- flows decided does it matter, and there it holds one part (merge.write).
local function frames_before(list)
  local before, sum = {}, 0
  for _, part in ipairs(list) do
    before[part[2]] = before[part[2]] or sum
    sum = sum + part[1].frames
  end
  return before
end

local function add_statistics(total, part)
  local ok, why = pcall(tally.add, total.stats, part[1].statistics)
  if ok and part[1].flow_statistics then
    total.flow_stats = total.flow_stats or ffi.new "struct sl_flow_stats"
    ok, why = pcall(tally.add_flows, total.flow_stats, part[1].flow_statistics)
  end
  if not ok then refuse(part[2].path, "%s", tostring(why)) end
end

-- The names of inputs, once each; link types in the order in which one run would have met them.
local function add_part(total, part)
  local of, piece = part[1], part[1].piece
  add_statistics(total, part)
  if not piece or piece.start == 0 then
    for _, input in ipairs(of.inputs) do total.inputs[#total.inputs + 1] = input.name end
  end
  merge.add_new(total.link_types, of.link_types)
  if of.status ~= 0 then total.status, total.broken = 1, total.broken or part[2].path end
  total.bytes_read = total.bytes_read + of.bytes_read
end

--- Adds what the files have counted to the recipes' aggregates.
function merge.add_counts(pieces, list, recipes)
  local before = frames_before(list)
  for _, piece in ipairs(pieces) do
    partial.believe(piece.path, add_aggregates, piece, recipes, before[piece])
  end
end

--- Adds up what the files hold: what finish(out, run) gets as run. list: of merge.read.
function merge.add(pieces, list, recipes)
  local total = { stats = ffi.new "struct sl_stats", inputs = {}, link_types = {}, status = 0,
    bytes_read = 0, traffic = ffi.new "struct sl_traffic", workers = 0,
    alone = "results are merged" }
  merge.add_counts(pieces, list, recipes)
  for _, part in ipairs(list) do partial.believe(part[2].path, add_part, total, part) end
  return info.new(total)
end

--- What the parts have logged for the flow tables, for engine.replay; nil: they have no logs.
function merge.logs(list)
  local logs = { paths = {} }
  for _, part in ipairs(list) do
    local log = part[1].log
    if log then
      logs[#logs + 1] = log
      logs.paths[#logs] = part[2].path
    end
  end
  return #logs > 0 and logs or nil
end

--- Writes a partial result again, of all that the files hold.
function merge.write(path, o, recipes, list, by_log)
  if not by_log then
    recipe.fail "merge --partial: these recipes decide their flows in each piece: merge all at once"
  end
  local file, all = partial.open(path), {}
  for i, part in ipairs(list) do
    if part[1].log then part[1].log = file:copy_log(part[2].path, part[1].log) end
    all[i] = part[1]
  end
  file:finish(o, recipes, all, by_log)
end

-- Flows that were decided where they were counted: one that goes on in another part counts in each.
local function open_flows(list)
  local open = 0
  for _, part in ipairs(list) do
    local stats = part[1].flows and not part[1].log and part[1].flow_statistics
    for name, n in pairs(stats and stats.ended or {}) do
      if name:match "^eof#" then open = open + n end
    end
  end
  return #list > 1 and open or 0
end

--- What a reader of the merged result must know, or nil.
function merge.note(list, total)
  local notes, open = {}, open_flows(list)
  if total.broken then
    notes[1] = ("%s is of a run that did not reach its end"):format(total.broken)
  end
  if open > 0 then
    notes[#notes + 1] = ("%d flows were open where pieces end: one that goes on in another piece "
      .. "counts once in each"):format(open)
  end
  local overlap = merge.logs(list) and parts.overlap(list)
  if overlap then
    notes[#notes + 1] = ("%s and %s overlap in time: one run over both would have taken their "
      .. "packets in turns"):format(overlap[1], overlap[2])
  end
  return #notes > 0 and table.concat(notes, "; ") or nil
end

--- Calls every recipe's finish.
function merge.finish(recipes, views, total)
  for _, r in ipairs(recipes) do
    if r.handlers.finish then
      views.recipe = r.name
      local ok, why = pcall(r.handlers.finish, views, total)
      if not ok then
        if recipe.is_told(why) then error(why, 0) end
        recipe.fail("recipe %s: %s", r.name, recipe.told(why))
      end
    end
  end
end

return merge
