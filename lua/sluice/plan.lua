-- Plans: a capture in pieces, which programs on many machines count one by one.
--
--   sluice plan RECIPE INPUT... > PLAN           a line of JSON a piece
--   sluice RECIPE --piece K PLAN --partial FILE  counts piece K
--   sluice merge RECIPE FILE...                  the result that one run gives
--
-- A line names its input, by size and checksum of its first bytes, and what of it belongs to the
-- piece: records that begin at bytes [start, stop); stop null: all. No secret is in it: of a URL
-- the query is left out, and comes from --url-file or $SLUICE_URLS when the piece is run.
local ffi = require "ffi"
local cjson = require "cjson"
local C = require("sluice.abi").C
local json = require "sluice.json"
local recipe = require "sluice.recipe"
local sha256 = require "sluice.sha256"
local url_file = require "sluice.url_file"
local value = require "sluice.value"

local plan = {}

local PIECE = 2 ^ 30
local UNITS = { [""] = 1, k = 2 ^ 10, M = 2 ^ 20, G = 2 ^ 30, T = 2 ^ 40 }
local IS_URL = "^[Hh][Tt][Tt][Pp][Ss]?://"

local function raise(err)
  error({ code = err.code, message = ffi.string(err.message) }, 0)
end

local function names_of(recipes)
  local names = {}
  for i, r in ipairs(recipes) do names[i] = r.name:match "[^/]*$" end
  return table.concat(names, ",")
end

-- ---- URLs ----

-- A URL without what is secret in it: query and user.
local function without_secrets(url)
  return (url:gsub("[?#].*$", ""):gsub("^(%a+://)[^/@]*@", "%1"))
end

-- The URLs with their secrets that whoever runs the piece has given.
local function given_urls(path)
  local list = {}
  if path then url_file.read(path, list) end
  url_file.add(os.getenv "SLUICE_URLS" or "", list)
  return list
end

-- The URL of a blob: the one given for it, or its place with the query of a prefix above it.
local function with_secrets(bare, urls)
  for _, url in ipairs(urls) do
    if without_secrets(url) == bare then return url end
  end
  for _, url in ipairs(urls) do
    local above = without_secrets(url)
    local folder = above:match "^(.*/)[^/]*%*[^/]*$" or above:match "^(.*/)$"
    if folder and bare:sub(1, #folder) == folder then
      local user = url:match "^%a+://([^/@?#]*@)"
      local place = user and bare:gsub("^(%a+://)", function(s) return s .. user end) or bare
      return place .. (url:match "%?.*$" or "")
    end
  end
  return nil
end

-- ---- making one ----

local function bytes_of(text)
  local n, unit = text:match "^(%d+)([kMGT]?)$"
  n = n and tonumber(n) * UNITS[unit]
  if not n or n < 1 then
    recipe.fail("--piece-size takes bytes, as 512M or 1G, not '%s'", text)
  end
  return n
end

-- All that the words stand for: a prefix for the blobs below it.
local function listed(words)
  local names, err = {}, ffi.new "struct sl_error"
  for _, word in ipairs(words) do
    if word == "-" then recipe.fail "plan: standard input has no pieces: give files or URLs" end
    local list = C.sl_inputs_list(word, err)
    if list == nil then raise(err) end
    list = ffi.gc(list, C.sl_inputs_free)
    for i = 0, math.huge do
      local name = C.sl_inputs_at(list, i)
      if name == nil then break end
      names[#names + 1] = ffi.string(name)
    end
  end
  return names
end

--- An input as struct sl_planned.
function plan.opened(name)
  local err = ffi.new "struct sl_error"
  local planned = C.sl_planned_open(name, err)
  if planned == nil then raise(err) end
  return ffi.gc(planned, C.sl_planned_close)
end

-- Where the pieces of an input begin, and its end; a piece that would have no record is none.
local function cuts_of(planned, size)
  local cuts, total = { 0 }, tonumber(planned.size)
  if planned.can_cut == 0 or total <= size then return { 0, false } end
  local found, err = ffi.new "uint64_t[1]", ffi.new "struct sl_error"
  for k = 1, math.ceil(total / size) - 1 do
    local from = math.max(math.floor(k * size), cuts[#cuts] + 1)
    local result = C.sl_planned_cut(planned, from, found, err)
    if result < 0 then raise(err) end
    if result == 1 then cuts[#cuts + 1] = tonumber(found[0]) end
  end
  cuts[#cuts + 1] = #cuts > 1 and total
  return cuts
end

local function known_of(name, at)
  local planned = plan.opened(name)
  local first = planned.first
  return { name = name, at = at, planned = planned, size = tonumber(planned.size),
    first = planned.has_packets == 1 and tonumber(first.s) + tonumber(first.nsec) * 1e-9
      or math.huge }
end

-- The inputs in the order of their first packets, as one run takes them.
local function in_order(names)
  local list = {}
  for i, name in ipairs(names) do list[i] = known_of(name, i) end
  table.sort(list, function(a, b)
    if a.first ~= b.first then return a.first < b.first end
    return a.at < b.at
  end)
  return list
end

local function piece_size(o, inputs)
  if o.piece_size then return bytes_of(o.piece_size) end
  if not o.pieces then return PIECE end
  local total = 0
  for _, input in ipairs(inputs) do total = total + math.max(input.size, 0) end
  return math.max(math.ceil(total / o.pieces), 1)
end

local function pieces_of(inputs, size)
  local list = {}
  for number, input in ipairs(inputs) do
    local planned, cuts = input.planned, cuts_of(input.planned, size)
    for i = 1, #cuts - 1 do
      list[#list + 1] = { input = input.name, number = number, size = planned.size,
        head = planned.can_cut == 1 and planned.head or nil, start = cuts[i],
        stop = cuts[i + 1] or nil }
    end
    input.planned = nil -- its connection is not needed any more
  end
  return list
end

--- sluice plan: writes the lines to standard output.
function plan.write(words, o, recipes)
  if o.pieces and o.piece_size then recipe.fail "--pieces and --piece-size exclude each other" end
  local inputs = in_order(listed(words))
  if #inputs == 0 then recipe.fail "plan: no input: give paths or URLs" end
  local list = pieces_of(inputs, piece_size(o, inputs))
  for i, piece in ipairs(list) do
    local is_url = piece.input:match(IS_URL)
    local line = json.encode(value.object {
      { "piece", i }, { "pieces", #list }, { "recipe", names_of(recipes) },
      { "input", is_url and without_secrets(piece.input) or piece.input },
      { "secret", (is_url and without_secrets(piece.input) ~= piece.input) or false },
      { "number", piece.number }, { "size", piece.size >= 0 and piece.size or value.null },
      { "head", piece.head or value.null },
      { "start", piece.start }, { "stop", piece.stop or value.null },
    })
    local ok, why = io.stdout:write(line, "\n")
    if not ok then return 2, "cannot write the plan: " .. why end
  end
  local ok, why = io.stdout:flush()
  if not ok then return 2, "cannot write the plan: " .. why end
  return 0
end

-- ---- running a piece ----

local function read(path)
  local file, why = io.open(path, "rb")
  if not file then error({ code = 1, message = why }, 0) end
  local text = file:read "*a" or ""
  file:close()
  return text
end

local function line_of(path, text, number)
  local at = 0
  for line in text:gmatch "[^\n]+" do
    at = at + 1
    if at == number then
      local ok, piece = pcall(cjson.decode, line)
      if ok and type(piece) == "table" and piece.piece == number and type(piece.input) == "string"
        and type(piece.start) == "number" and type(piece.number) == "number" then
        return piece
      end
      error({ code = 1, message = ("%s: line %d is none of a plan (sluice plan writes them)")
        :format(path, at) }, 0)
    end
  end
  error({ code = 2, message = ("--piece %d: %s has %d pieces"):format(number, path, at) }, 0)
end

--- Whether an input begins with what it was when it had that size and checksum of its first bytes:
--- it may have grown. planned: struct sl_planned.
function plan.is_same(planned, size, head)
  if size > tonumber(planned.size) then return false end
  local crc, err = ffi.new "uint32_t[1]", ffi.new "struct sl_error"
  if C.sl_planned_head(planned, size, crc, err) < 0 then raise(err) end
  return crc[0] == head
end

local function check_identity(input, piece)
  local planned = plan.opened(input)
  local same = piece.size == cjson.null or piece.size == tonumber(planned.size)
  if piece.head ~= cjson.null then
    same = planned.can_cut == 1 and plan.is_same(planned, piece.size, piece.head)
  end
  if not same then
    error({ code = 1, message = ("%s: it is not what the plan was made of: make the plan again")
      :format(ffi.string(planned.name)) }, 0)
  end
  return planned
end

--- The inputs of piece o.piece of a plan (one), and what is to be known of the piece: plan (a
--- hash), number, pieces, input (its number), start and stop (bytes; stop nil: all); and the input,
--- opened.
function plan.piece(words, o, recipes)
  if #words ~= 1 then recipe.fail "--piece: give the PLAN as the only input" end
  local text = read(words[1])
  local line = line_of(words[1], text, o.piece)
  if line.recipe ~= names_of(recipes) then
    recipe.fail("--piece: the plan is of %s, not of %s", tostring(line.recipe), names_of(recipes))
  end
  local input = line.input
  if input:match(IS_URL) then
    local url = with_secrets(input, given_urls(o.url_file))
    if not url and line.secret then
      recipe.fail("--piece: %s was planned with a query or user, which no plan holds: give the URL "
        .. "with --url-file or in SLUICE_URLS", input)
    end
    input = url or input
  end
  local opened = check_identity(input, line)
  local stop = line.stop ~= cjson.null and line.stop or nil
  return { input }, { plan = sha256.hex(text), number = line.piece, pieces = line.pieces,
    input = line.number, start = line.start, stop = stop }, opened
end

--- Adds where the reader began and ended, to be compared with the pieces beside this one. edges:
--- struct sl_edges or nil.
function plan.note_edges(piece, edges)
  if not edges then return end
  piece.stop = tonumber(edges["end"])
  piece.start_state, piece.stop_state = edges.begin_state, edges.end_state
  piece.own_time = edges.own_time == 1
end

return plan
