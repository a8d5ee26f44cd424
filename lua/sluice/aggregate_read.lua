-- Reading aggregates: rows for views, single values, notes, bytes, merging.
--
-- Rows come in an order that depends on the content alone: by key, or by value with ties by key.
-- They carry label (the aggregate's name), kind, keys (labels of the parts), total (keys before any
-- cut), notes, approximate, columns (what a view of them shows unless it is told); of a series bin,
-- its seconds; of a top error; of a quantile q.

local ffi = require("ffi")

local error, ipairs, math, pairs, table, tonumber, tostring, type, unpack =
  error, ipairs, math, pairs, table, tonumber, tostring, type, unpack

local addr_t = ffi.typeof("struct sl_addr")

local read = {}

local function stats(self)
  local s = ffi.new("struct sl_agg_stats")
  self.lib.sl_agg_stats(self.c, s)
  return s
end

local function amount(value)
  return (("%.15g"):format(value))
end

-- ---- notes ----

local function note_top(note, c, s, bound)
  note(c.past_keys, "approximate: %s keys were dropped because more than %s came; no value is " ..
    "too low by more than %s (raise the bound with keys = …)", bound, amount(s.error))
  note(c.no_memory, "approximate: %s additions found no memory for their key; no value is too " ..
    "low by more than %s", amount(s.error))
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
    note_top(note, c, s, bound)
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
  note(c.cut_texts, "%s strings of more than 255 bytes were cut to that length")
  return notes
end

-- ---- rows ----

-- One part of a key, as a value of its type; row is used again, so everything is copied.
local function cell_of(part, row, at)
  if part.type == "number" then
    return row.number[at]
  elseif part.type == "address" then
    return addr_t(row.address[at])
  elseif part.type == "string" then
    return ffi.string(row.text[at], row.text_size[at])
  elseif part.type == "country" then
    return require("sluice.geo").name(row.number[at])
  end
  local address = addr_t(row.address[at])
  local bits = address:is_ipv4() and part.v4 or part.v6
  return require("sluice.address").shown(("%s/%d"):format(tostring(address), bits))
end

-- Appends parts first to last of a row.
local function append(self, row, out, first, last)
  for i = first, last do
    if row.other == 1 and i <= self.n_key then
      out[#out + 1], out.is_other = i == 1 and "other" or "", true
    else
      out[#out + 1] = cell_of(self.parts[i], row, i - 1)
    end
  end
end

-- What stands behind the key in a row, by kind; append(i) may ask view for more.
local TAIL = {}

function TAIL.mean(_, row, out)
  out[#out + 1] = row.value
  out.count, out.deviation = row.count, row.deviation
end

function TAIL.quantile(self, row, out, view, i)
  for _, q in ipairs(self.q) do
    out[#out + 1] = self.lib.sl_agg_row_quantile(view, i, q)
  end
  out.count = row.value
end

function TAIL.histogram(_, row, out)
  out[#out + 1], out[#out + 2], out[#out + 3] = row.from, row.to, row.value
end

function TAIL.sample(self, row, out)
  append(self, row, out, self.n_key + 1, #self.parts)
  out.offset = row.place
end

local function plain(_, row, out)
  out[#out + 1] = row.value
end

-- What a row of C becomes; nil: it is not shown.
local function make_row(self, row, view, i)
  local out = {}
  if self.kind == "histogram" and row.value == 0 and (math.abs(row.from) == math.huge or
    math.abs(row.to) == math.huge) then
    return nil -- nothing lies below or above the edges
  elseif self.kind == "series" or self.kind == "sample" then
    out[1] = row.time
  end
  append(self, row, out, 1, self.n_key)
  local tail = TAIL[self.kind] or plain
  tail(self, row, out, view, i)
  return out
end

local function by_time(a, b)
  if a[1] ~= b[1] then
    return a[1] < b[1]
  end
  return a.offset < b.offset
end

-- What a value is called: the aggregate's name up to " by ".
local function value_column(self, name)
  name = name or self.name:match("^(.+) by .+$") or self.name
  local unit = self.unit or (name:find("%f[%w]bytes$") and "bytes") or nil
  return { name = name, unit = unit, type = unit == "s" and "duration" or "number" }
end

local BINNED = { series = true, sample = true, histogram = true } -- which have other views

local function columns_of(self)
  if BINNED[self.kind] then return nil end
  local columns = {}
  for i, part in ipairs(self.parts) do
    if i > self.n_key then break end
    columns[i] = { name = part.label, type = part.type == "address" and "address" or nil }
  end
  for _, q in ipairs(self.kind == "quantile" and self.q or {}) do
    local name = q == 0.5 and "median" or ("p%.15g"):format(100 * q)
    columns[#columns + 1] = value_column(self, name)
  end
  if self.kind ~= "quantile" then columns[#columns + 1] = value_column(self) end
  return columns
end

local ADDS_UP = { count = true, sum = true, top = true, distinct = true }

-- Puts what other aggregates hold for the same key behind each row.
local function join(self, rows, others)
  for _, other in ipairs(others) do
    if not rows.columns or not other.get or other.kind == "quantile"
      or other.n_key ~= self.n_key then
      error(("aggregate \"%s\" cannot stand beside \"%s\": it needs one value for that key")
        :format(other.name, self.name), 3)
    end
    rows.columns[#rows.columns + 1] = value_column(other)
    for _, row in ipairs(rows) do
      local value = not row.is_other and other:get(unpack(row, 1, self.n_key)) or nil
      row[#rows.columns] = value == nil and ADDS_UP[other.kind] and not row.is_other and 0 or value
    end
  end
  return rows
end

local function read_rows(self, order, limit)
  local lib, err = self.lib, ffi.new("struct sl_error")
  local view = lib.sl_agg_rows_new(self.c, order, limit, err)
  if view == nil then
    error(ffi.string(err.message), 3)
  end
  local row, rows = ffi.new("struct sl_agg_row"), {}
  for i = 0, tonumber(view.n) - 1 do
    lib.sl_agg_row(view, i, row)
    rows[#rows + 1] = make_row(self, row, view, i)
  end
  local s = stats(self)
  rows.label, rows.kind, rows.keys, rows.q = self.name, self.kind, self.labels, self.q
  rows.columns, rows.unit = columns_of(self), self.unit
  rows.total = tonumber(view.total)
  rows.notes = notes_of(self, s)
  rows.approximate = s.approximate == 1
  rows.error = self.kind == "top" and s.error or nil
  if self.kind == "series" then
    rows.bin = view.bin
    if view.gaps > 0 then
      rows.notes[#rows.notes + 1] =
        ("%d stretches of time without content are too long to show"):format(tonumber(view.gaps))
    end
  elseif self.kind == "sample" and self.n_key == 0 then
    table.sort(rows, by_time)
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

local common = {}

-- All rows: {key, value}, {key1, key2, value}, of a series {time, value} or {time, key, value}, by
-- key (a series: by key, then time). Keys past the bound are one row "other" at the end. Of a top,
-- the same as top(). Other aggregates of the same key add a value to each row.
function common.rows(self, ...)
  local rows
  if self.kind == "top" then
    rows = read_rows(self, ffi.C.SL_AGG_BY_VALUE, self.n)
  else
    rows = read_rows(self, ffi.C.SL_AGG_BY_KEY, 0)
  end
  return (join(self, rows, { ... }))
end

-- The n rows with the largest values, largest first, ties by key; of a keyed series the series of
-- the n keys with the largest sums; of quantile and histogram the n keys with most values.
function common.top(self, n, ...)
  n = check_count(self, n)
  local rows = read_rows(self, ffi.C.SL_AGG_BY_VALUE, n)
  return (join(self, rows, { ... }))
end

-- The total of an aggregate without key: 0, or of min, max and mean nil, where nothing was added.
function common.value(self)
  if self.n_key > 0 or not self.get then
    error(("aggregate \"%s\" has more than one value: use rows, top or get"):format(self.name), 2)
  end
  local value = self:get()
  if value == nil and (self.kind == "sum" or self.kind == "count" or self.kind == "distinct") then
    return 0
  end
  return value
end

function common.notes(self)
  return notes_of(self, stats(self))
end

function common.approximate(self)
  return stats(self).approximate == 1
end

function common.memory(self)
  return tonumber(stats(self).memory)
end

-- ---- of single kinds ----

local of_kind = { series = {}, quantile = {}, histogram = {} }

local function series_name(self, row)
  local parts = {}
  for k = 1, self.n_key do
    parts[k] = tostring(row[1 + k])
  end
  return parts[1] == "other" and "other" or table.concat(parts, " ")
end

-- A series as out:lines takes it, with a column for each key (the n largest of them, or all):
-- { columns =, rows = { {time, value, value…}, … }, interval =, notes = }; give it a title.
function of_kind.series.lines(self, n)
  local long
  if n == nil then
    long = read_rows(self, ffi.C.SL_AGG_BY_KEY, 0)
  else
    long = read_rows(self, ffi.C.SL_AGG_BY_VALUE, check_count(self, n))
  end
  local columns, rows = { { name = "time", type = "time" } }, {}
  if self.n_key == 0 then
    columns[2] = { name = self.name }
    return { columns = columns, rows = long, interval = long.bin, notes = long.notes }
  end
  local at = 0
  for i, row in ipairs(long) do
    if i == 1 or row[1] <= long[i - 1][1] then -- time starts again: the next key
      columns[#columns + 1] = { name = series_name(self, row) }
      at = 0
    end
    at = at + 1
    rows[at] = rows[at] or { row[1] }
    rows[at][#columns] = row[#row]
  end
  return { columns = columns, rows = rows, interval = long.bin, notes = long.notes }
end

-- Without key: the quantile q of all values, nil where there are none; rows() gives a row for each.
function of_kind.quantile.value(self, q)
  if self.n_key > 0 then
    error(("aggregate \"%s\" has more than one value: use rows, top or get"):format(self.name), 2)
  end
  local value = self:get(q)
  return value
end

function of_kind.quantile.rows(self)
  local rows = read_rows(self, ffi.C.SL_AGG_BY_KEY, 0)
  if self.n_key > 0 then
    return rows
  end
  local all = rows[1]
  for i, q in ipairs(self.q) do
    rows[i] = { q, all.count > 0 and all[i] or nil }
  end
  rows.count = all.count
  return rows
end

local function bin_label(from, to)
  if from == -math.huge then
    return "below " .. amount(to)
  elseif to == math.huge then
    return amount(from) .. " and more"
  end
  return amount(from) .. " – " .. amount(to)
end

-- Whether two rows belong to one key, which stands before the three last cells.
local function same_key(a, b)
  for i = 1, #a - 3 do
    if tostring(a[i]) ~= tostring(b[i]) then -- an address does not compare with "other"
      return false
    end
  end
  return true
end

-- Rows for out:bars: { "64 – 128", n }, with a key { key, "64 – 128", n }; of each key from the
-- first bin with content to the last.
function of_kind.histogram.bars(self)
  local rows, kept, waiting = self:rows(), {}, {}
  for _, row in ipairs(rows) do
    local before = kept[#kept]
    if before == nil or not same_key(row, before) then
      waiting = {} -- of a key whose last bin has been kept, or none yet
    end
    if row[#row] > 0 then
      for _, empty in ipairs(waiting) do kept[#kept + 1] = empty end
      kept[#kept + 1], waiting = row, {}
    elseif before and same_key(row, before) then
      waiting[#waiting + 1] = row
    end
  end
  for i, row in ipairs(kept) do
    local cells = { unpack(row, 1, #row - 3) }
    cells[#cells + 1] = bin_label(row[#row - 2], row[#row - 1])
    cells[#cells + 1] = row[#row]
    kept[i] = cells
  end
  kept.label, kept.notes = rows.label, rows.notes
  return kept
end

-- ---- merging ----

function common.to_bytes(self)
  local err, bytes, size = ffi.new("struct sl_error"), ffi.new("uint8_t *[1]"), ffi.new("size_t[1]")
  if self.lib.sl_agg_to_bytes(self.c, bytes, size, err) ~= 0 then
    error(ffi.string(err.message), 2)
  end
  local text = ffi.string(bytes[0], size[0])
  self.lib.sl_agg_bytes_free(bytes[0])
  return text
end

-- from: another aggregate, or what its to_bytes gave.
function common.merge(self, from)
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

--- The methods of a kind.
function read.methods(kind)
  local methods = {}
  for name, method in pairs(common) do methods[name] = method end
  for name, method in pairs(of_kind[kind] or {}) do methods[name] = method end
  return methods
end

return read
