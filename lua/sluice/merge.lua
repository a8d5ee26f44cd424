-- sluice merge RECIPE FILE…: the result that one run over all captures would give, from the partial
-- results (sluice.partial) of runs over each.
local ffi = require "ffi"
local info = require "sluice.info"
local partial = require "sluice.partial"
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

local function check_twice(piece, seen)
  local packets = piece.statistics.packets > 0
  local before = packets and seen.counted[piece.counted]
  if before then refuse(piece.path, "%s holds the same counts: is it the same capture?", before) end
  seen.counted[piece.counted] = piece.path
  for _, input in ipairs(piece.inputs) do
    local key = packets and input.size and input.size .. " " .. input.head
    before = key and seen.inputs[key]
    if before then refuse(piece.path, "%s is in %s already", input.name, before) end
    if key then seen.inputs[key] = piece.path end
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

--- Reads the pieces and checks that they belong together. Sets in o what decides what is counted.
function merge.read(paths, recipes, o)
  if #paths == 0 then recipe.fail "merge: no partial results: give the files of --partial" end
  local pieces, seen = {}, { counted = {}, inputs = {} }
  for i, path in ipairs(paths) do
    local piece = partial.read(path)
    pieces[i] = piece
    partial.believe(path, check_recipes, piece, recipes)
    partial.believe(path, check_options, piece, pieces[1])
    partial.believe(path, check_twice, piece, seen)
  end
  for _, name in ipairs(partial.options) do
    if o[name] ~= nil and o[name] ~= pieces[1].options[name] then
      recipe.fail("merge: %s is %s, but the pieces were made with %s: make them again", name,
        said(o[name]), said(pieces[1].options[name]))
    end
    o[name] = pieces[1].options[name]
  end
  return pieces
end

--- Starts the recipes with the options of the pieces.
function merge.start(pieces, recipes, given, out)
  for i, r in ipairs(recipes) do
    recipe.start(r, options_for(r, pieces[1].recipes[i].options, given), out)
  end
end

-- ---- adding up ----

-- before: frames of the pieces before it in time.
local function add_aggregates(piece, recipes, before)
  for i, r in ipairs(recipes) do
    local theirs = piece.recipes[i].aggregates
    if #theirs ~= #r.make.list then
      refuse(piece.path, "recipe %s has %d aggregates there, %d here", r.name, #theirs,
        #r.make.list)
    end
    for k, a in ipairs(r.make.list) do
      local ok, why = pcall(a.merge, a, theirs[k].bytes, before)
      if not ok then refuse(piece.path, "%s", (tostring(why):gsub("^[^ ]+:%d+: ", ""))) end
    end
  end
end

local function add_new(list, words)
  local known = {}
  for _, word in ipairs(list) do known[word] = true end
  for _, word in ipairs(words) do
    if not known[word] then list[#list + 1] = word end
  end
end

-- In the order of time, in which one run would have met what they hold.
local function by_time(pieces)
  local list = {}
  for i, piece in ipairs(pieces) do list[i] = { piece, i, piece.statistics.first } end
  table.sort(list, function(a, b)
    local x, y = tonumber(a[3] or "inf"), tonumber(b[3] or "inf")
    if x ~= y then return x < y end
    return a[2] < b[2]
  end)
  return list
end

-- How many frames one run would have met before those of each piece.
local function frames_before(pieces)
  local before, sum = {}, 0
  for _, entry in ipairs(by_time(pieces)) do
    before[entry[1]] = sum
    sum = sum + entry[1].frames
  end
  return before
end

local function add_statistics(total, piece)
  local ok, why = pcall(tally.add, total.stats, piece.statistics)
  if ok and piece.flow_statistics then
    total.flow_stats = total.flow_stats or ffi.new "struct sl_flow_stats"
    ok, why = pcall(tally.add_flows, total.flow_stats, piece.flow_statistics)
  end
  if not ok then refuse(piece.path, "%s", tostring(why)) end
end

--- Adds everything up: what finish(out, run) gets as run.
function merge.add(pieces, recipes)
  local total = { stats = ffi.new "struct sl_stats", inputs = {}, link_types = {}, status = 0,
    bytes_read = 0, traffic = ffi.new "struct sl_traffic", workers = 0,
    alone = "results are merged" }
  local before = frames_before(pieces)
  for _, piece in ipairs(pieces) do
    partial.believe(piece.path, add_aggregates, piece, recipes, before[piece])
    partial.believe(piece.path, add_statistics, total, piece)
    for _, input in ipairs(piece.inputs) do total.inputs[#total.inputs + 1] = input.name end
    if piece.status ~= 0 then total.status, total.broken = 1, total.broken or piece.path end
    total.bytes_read = total.bytes_read + piece.bytes_read
  end
  for _, entry in ipairs(by_time(pieces)) do add_new(total.link_types, entry[1].link_types) end
  return info.new(total)
end

--- What a reader of the merged result must know, or nil: flows that go on from one piece to the
--- next count in each of them.
function merge.note(pieces, total)
  local notes = {}
  if total.broken then
    notes[1] = ("%s is of a run that did not reach its end"):format(total.broken)
  end
  local open = 0
  for _, piece in ipairs(pieces) do
    local ended = piece.flows and piece.flow_statistics and piece.flow_statistics.ended or {}
    for name, n in pairs(ended) do
      if name:match "^eof#" then open = open + n end
    end
  end
  if #pieces > 1 and open > 0 then
    notes[#notes + 1] = ("%d flows were open where pieces end: one that goes on in another piece "
      .. "counts once in each"):format(open)
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
