-- Aggregates for recipes: totals that live in C, stay within a bound, and merge.
--
--   local make = require("sluice.aggregate").new { C = ffi.C }   one set for each recipe's worker
--   make.sum, make.count, …    what the engine puts into the recipe's environment
--   make.seal(), make.open()   outside start, where creating one is an error, and inside it
--   make.list                  the aggregates, in the order of their creation
--
-- In a recipe, inside start:
--
--   count  { "name", key = …, keys = bound }                c:add(key)  c:add(key, n)
--   sum    { "name", key = …, keys = …, decimals = … }      s:add(key, value)
--   min, max                                                the same
--   top    { "name", key = …, n = 10, keys = …, decimals = … }
--   series { "name", bin = seconds, bins = bound, key = …, keys = …, decimals = … }
--                                                           s:add(p.ts, value)
--                                                           s:add(p.ts, key, value)
--
-- key: nothing (one total, add(value)); "address"; "number"; any other word for a number that is
-- labelled so (key = "port"); "src:address" for an address with a label; or a list of up to three
-- of these, which add then takes in that order. What is exact, bounded and stated:
-- src/aggregate/aggregate.h. src/abi.h must have been given to ffi.cdef before this is loaded.

local ffi = require("ffi")
local code = require("sluice.aggregate_add")

local error, getmetatable, ipairs, pairs, setmetatable, tonumber, tostring, type =
  error, getmetatable, ipairs, pairs, setmetatable, tonumber, tostring, type

local addr_t = ffi.typeof("struct sl_addr")

local KINDS = {
  count = ffi.C.SL_AGG_COUNT, sum = ffi.C.SL_AGG_SUM, min = ffi.C.SL_AGG_MIN,
  max = ffi.C.SL_AGG_MAX, top = ffi.C.SL_AGG_TOP, series = ffi.C.SL_AGG_SERIES,
}
local TYPES = { number = ffi.C.SL_AGG_NUMBER, address = ffi.C.SL_AGG_ADDRESS }
local OPTIONS = {
  count = { "key", "keys" },
  sum = { "key", "keys", "decimals" },
  min = { "key", "keys", "decimals" },
  max = { "key", "keys", "decimals" },
  top = { "key", "n", "keys", "decimals" },
  series = { "bin", "bins", "key", "keys", "decimals" },
}

-- ---- reading ----

local function stats(self)
  local s = ffi.new("struct sl_agg_stats")
  self.lib.sl_agg_stats(self.c, s)
  return s
end

local function amount(value)
  return (("%.15g"):format(value))
end

-- What a reader of the result must know, one sentence each.
local function notes_of(self, s)
  local notes, c = {}, s.counters
  local function note(n, text, ...)
    if n > 0 then
      notes[#notes + 1] = text:format(amount(tonumber(n)), ...)
    end
  end
  local bound = amount(tonumber(s.spec.max_keys))
  if self.kind == "top" then
    note(c.past_keys, "approximate: %s keys were dropped because more than %s came; no value is " ..
      "too low by more than %s (raise the bound with keys = …)", bound, amount(s.error))
    note(c.no_memory, "approximate: %s additions found no memory for their key; no value is too " ..
      "low by more than %s", amount(s.error))
  else
    note(c.past_keys, "%s additions for keys past the bound of %s are in \"other\" (raise it " ..
      "with keys = …)", bound)
    note(c.no_memory, "%s additions found no memory for their key or bin and are in \"other\"")
  end
  note(c.past_bins, "%s additions past the bound of %s bins are not shown, they sum up to %s " ..
    "(use a wider bin, or raise the bound with bins = …)", amount(tonumber(s.spec.max_bins)),
    amount(s.other))
  note(c.inexact, "%s values with a fraction were rounded to whole numbers (keep fractions with " ..
    "decimals = 1 to 9)")
  note(c.not_finite, "%s values that are no finite numbers were left out")
  note(c.too_large, "%s values too large to count exactly (2^63 and more) were left out")
  note(c.negative, "%s values below zero were left out")
  note(c.bad_key, "%s additions whose key is no finite number were left out")
  note(c.bad_time, "%s additions with an impossible time were left out")
  return notes
end

-- Key parts of a row, from index at.
local function fill_key(self, row, out, at)
  for i, kind in ipairs(self.types) do
    if row.other == 1 then
      out[at + i - 1] = i == 1 and "other" or ""
    elseif kind == "number" then
      out[at + i - 1] = row.number[i - 1]
    else
      out[at + i - 1] = addr_t(row.address[i - 1]) -- a copy: row is used again
    end
  end
  return at + #self.types
end

local function read_rows(self, order, limit)
  local lib, err = self.lib, ffi.new("struct sl_error")
  local view = lib.sl_agg_rows_new(self.c, order, limit, err)
  if view == nil then
    error(ffi.string(err.message), 3)
  end
  local row, rows = ffi.new("struct sl_agg_row"), {}
  local series = self.kind == "series"
  for i = 0, tonumber(view.n) - 1 do
    local out = {}
    lib.sl_agg_row(view, i, row)
    if series then
      out[1] = row.time
    end
    out[fill_key(self, row, out, series and 2 or 1)] = row.value
    rows[i + 1] = out
  end
  local s = stats(self)
  rows.label, rows.kind, rows.keys = self.name, self.kind, self.labels
  rows.total = tonumber(view.total)
  rows.notes = notes_of(self, s)
  rows.approximate = s.approximate == 1
  rows.error = self.kind == "top" and s.error or nil
  if series then
    rows.bin = view.bin
    if view.gaps > 0 then
      rows.notes[#rows.notes + 1] =
        ("%d stretches of time without content are too long to show"):format(tonumber(view.gaps))
    end
  end
  lib.sl_agg_rows_free(view)
  return rows
end

local function check_count(self, n)
  n = n == nil and self.n or tonumber(n)
  if not n or n < 1 or n ~= math.floor(n) then
    error(("aggregate \"%s\": top takes a whole number of rows, 1 or more"):format(self.name), 3)
  end
  return n
end

local methods = {}

-- All rows: {key, value}, {key1, key2, value}, of a series {time, value} or {time, key, value}, by
-- key (a series: by key, then time). With label, total (keys before any cut), notes, approximate;
-- of a series bin, its seconds. Keys past the bound are one row "other" at the end. Of a top, the
-- same as top().
function methods.rows(self)
  if self.kind == "top" then
    local rows = read_rows(self, ffi.C.SL_AGG_BY_VALUE, self.n)
    return rows
  end
  local rows = read_rows(self, ffi.C.SL_AGG_BY_KEY, 0)
  return rows
end

-- The n rows with the largest values, largest first, ties by key; of a keyed series the series of
-- the n keys with the largest sums.
function methods.top(self, n)
  n = check_count(self, n)
  local rows = read_rows(self, ffi.C.SL_AGG_BY_VALUE, n)
  return rows
end

-- A series as out:lines takes it, with a column for each key (the n largest of them, or all):
-- { columns =, rows = { {time, value, value…}, … }, interval =, notes = }; give it a title.
function methods.lines(self, n)
  if self.kind ~= "series" then
    error(("aggregate \"%s\" is no series: it has no lines"):format(self.name), 2)
  end
  local long
  if n == nil then
    long = read_rows(self, ffi.C.SL_AGG_BY_KEY, 0)
  else
    long = read_rows(self, ffi.C.SL_AGG_BY_VALUE, check_count(self, n))
  end
  local columns, rows = { { name = "time", type = "time" } }, {}
  if #self.types == 0 then
    columns[2], rows = { name = self.name }, long
    return { columns = columns, rows = rows, interval = long.bin, notes = long.notes }
  end
  local at = 0
  for i, row in ipairs(long) do
    if i == 1 or row[1] <= long[i - 1][1] then -- time starts again: the next key
      local parts = {}
      for k = 1, #self.types do
        parts[k] = tostring(row[1 + k])
      end
      columns[#columns + 1] = { name = row[2] == "other" and "other" or table.concat(parts, " ") }
      at = 0
    end
    at = at + 1
    rows[at] = rows[at] or { row[1] }
    rows[at][#columns] = row[#row]
  end
  return { columns = columns, rows = rows, interval = long.bin, notes = long.notes }
end

-- The total of an aggregate without key: 0, or of min and max nil, where nothing was added.
function methods.value(self)
  if #self.types > 0 or self.kind == "series" then
    error(("aggregate \"%s\" has more than one value: use rows, top or get"):format(self.name), 2)
  end
  local value = self:get()
  if value == nil and (self.kind == "sum" or self.kind == "count") then
    return 0
  end
  return value
end

function methods.notes(self)
  return notes_of(self, stats(self))
end

function methods.approximate(self)
  return stats(self).approximate == 1
end

function methods.memory(self)
  return tonumber(stats(self).memory)
end

-- ---- merging ----

function methods.to_bytes(self)
  local err, bytes, size = ffi.new("struct sl_error"), ffi.new("uint8_t *[1]"), ffi.new("size_t[1]")
  if self.lib.sl_agg_to_bytes(self.c, bytes, size, err) ~= 0 then
    error(ffi.string(err.message), 2)
  end
  local text = ffi.string(bytes[0], size[0])
  self.lib.sl_agg_bytes_free(bytes[0])
  return text
end

-- from: another aggregate, or what its to_bytes gave.
function methods.merge(self, from)
  local lib, err = self.lib, ffi.new("struct sl_error")
  local c
  if type(from) == "string" then
    c = lib.sl_agg_from_bytes(from, #from, err)
    if c == nil then
      error(ffi.string(err.message), 2)
    end
    c = ffi.gc(c, lib.sl_agg_free)
  else
    c = from.c
  end
  if lib.sl_agg_merge(self.c, c, err) ~= 0 then
    error(ffi.string(err.message), 2)
  end
end

-- ---- making ----

-- "port", "address", "src:address" -> label and type.
local function key_part(name, part)
  if type(part) ~= "string" or part == "" then
    error(("aggregate \"%s\": key is a word, or a list of up to 3 words"):format(name), 0)
  end
  local label, kind = part:match("^(.+):(%a+)$")
  if not label then
    return part, TYPES[part] and part or "number"
  elseif not TYPES[kind] then
    error(("aggregate \"%s\": a key is a number or an address, not \"%s\""):format(name, kind), 0)
  end
  return label, kind
end

local function key_parts(name, key)
  local labels, types = {}, {}
  if type(key) ~= "table" then
    key = { key }
  end
  for i, part in ipairs(key) do
    labels[i], types[i] = key_part(name, part)
  end
  if #types > ffi.C.SL_AGG_MAX_PARTS then
    error(("aggregate \"%s\": a key has at most %d parts"):format(name, ffi.C.SL_AGG_MAX_PARTS), 0)
  end
  return labels, types
end

local function check_options(kind, options)
  local name = type(options) == "table" and options[1]
  if type(name) ~= "string" then
    error(("%s needs a name: %s { \"bytes by port\", … }"):format(kind, kind), 0)
  end
  local known = { [1] = true }
  for _, option in ipairs(OPTIONS[kind]) do
    known[option] = true
  end
  for option in pairs(options) do
    if not known[option] then
      error(("aggregate \"%s\": %s has no option %s; it has %s"):format(
        name, kind, tostring(option), table.concat(OPTIONS[kind], ", ")), 0)
    end
  end
  return name
end

local function whole(name, option, value, default)
  if value == nil then
    return default
  elseif type(value) ~= "number" or value < (option == "decimals" and 0 or 1) or value > 1e15
    or value ~= math.floor(value) then
    error(("aggregate \"%s\": %s is a whole number"):format(name, option), 0)
  end
  return value
end

local function bin_us(name, bin)
  if bin == nil then
    return 0
  end
  local us = type(bin) == "number" and math.floor(bin * 1e6 + 0.5) or 0
  if not (us >= 1 and us < 1e15) or math.abs(bin * 1e6 - us) > 1e-3 then
    error(("aggregate \"%s\": bin is a number of seconds, in whole microseconds"):format(name), 0)
  end
  return us
end

local function new_c(lib, kind, name, labels, types, options)
  local spec, err = ffi.new("struct sl_agg_spec"), ffi.new("struct sl_error")
  spec.name = name -- borrowed during the call only, like the labels
  spec.kind = KINDS[kind]
  spec.parts = #types
  for i = 1, #types do
    spec.label[i - 1] = labels[i]
    spec.type[i - 1] = TYPES[types[i]]
  end
  spec.decimals = whole(name, "decimals", options.decimals, 0)
  spec.max_keys = whole(name, "keys", options.keys, 0)
  spec.max_bins = whole(name, "bins", options.bins, 0)
  spec.bin_us = bin_us(name, options.bin)
  local c = lib.sl_agg_new(spec, err)
  if c == nil then
    error(ffi.string(err.message), 0)
  end
  return ffi.gc(c, lib.sl_agg_free)
end

local metatable = { __index = methods }

local function construct(lib, kind, options)
  local name = check_options(kind, options)
  local labels, types = key_parts(name, options.key)
  local object = {
    name = name, kind = kind, labels = labels, types = types,
    n = whole(name, "n", options.n, 10),
    c = new_c(lib, kind, name, labels, types, options),
    lib = lib, out = ffi.new("double[1]"),
    add = code.adder(kind, types, lib),
    get = kind ~= "series" and code.getter(kind, types, lib) or nil,
  }
  return setmetatable(object, metatable)
end

local function new(context)
  local lib = context and context.C or ffi.C
  local make, by_name, sealed = { list = {} }, {}, false

  local function constructor(kind)
    return function(options)
      if sealed then
        error(("%s { … } belongs into start: aggregates made elsewhere could not be merged")
          :format(kind), 2)
      end
      local done, object = pcall(construct, lib, kind, options)
      if not done then
        error(object, 2)
      elseif by_name[object.name] then
        error(("there is an aggregate \"%s\" already: give each its own name"):format(
          object.name), 2)
      end
      by_name[object.name] = object
      make.list[#make.list + 1] = object
      return object
    end
  end

  for kind in pairs(KINDS) do
    make[kind] = constructor(kind)
  end
  function make.seal()
    sealed = true
  end
  function make.open()
    sealed = false
  end
  return make
end

-- Whether a Lua value is an aggregate.
local function is(object)
  return type(object) == "table" and getmetatable(object) == metatable
end

return { new = new, is = is }
