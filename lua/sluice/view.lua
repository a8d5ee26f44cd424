-- What a recipe shows: data and an intent. Constructors check what a recipe gives and bring it to
-- one form; renderers (text, json, csv, chart, map) read that form and nothing else.
--
--   view.kind     "table", "record", "bars", "lines", "histogram", "heatmap", "scatter", "map" or
--                 "text"
--   view.name     a slug, unique among the recipe's views; view.title
--   view.columns  { { name =, title =, label = (in a legend), type =, unit =, digits = }, … }
--   view.rows     { { v, … }, … }, in the order of columns
--   view.total    rows there were before a bound cut them, or nil
--   view.notes    lines of text that belong below
--   view.recipe   the recipe that showed it, where the engine said so
--   record: view.fields { { name, value, type =, unit = }, … }
--   bars:   several amounts in a row are parts of one bar
--   histogram: rows { from, to, n, … }; from nil: all below, to nil: all above; view.unit: of edges
--   heatmap: rows { y, x, v, … }; view.y, view.x: the labels of both axes, in order
--   scatter: rows { label, v, … }; view.x, view.y: names of the columns that place a point
--   map:    view.values { { code, v, … }, … } largest first, view.other { { name, v, … }, … },
--           view.metrics: columns of v, …
--   lines:  view.stacked, view.interval (seconds a row covers), view.unit
--   text:   view.lines
local findings = require "sluice.findings"
local strings = require "sluice.strings"
local value = require "sluice.value"

local view = { null = value.null, object = value.object, array = value.array }

local View = {}
View.__index = View

local out = { null = value.null, object = function(_, f) return value.object(f) end,
  array = function(_, f) return value.array(f) end }
out.__index = out

-- The files between a recipe's mistake and the error that names its line.
local OWN = { [debug.getinfo(1, "S").source] = true,
  [debug.getinfo(findings.table, "S").source] = true }

-- An error at the line of the recipe that called, however deep in here it is found.
local function refuse(text, ...)
  local level = 2
  while OWN[(debug.getinfo(level, "S") or {}).source] do level = level + 1 end
  error(text:format(...), level)
end

local function need(kind, spec, field)
  if type(spec) ~= "table" then refuse("out:%s needs a table", kind) end
  if type(spec[field]) ~= "table" then refuse("out:%s needs %s = { … }", kind, field) end
end

-- "Bytes" for a column named bytes.
local function title_of(name)
  local text = tostring(name):gsub("_", " ")
  return (text:gsub("^%l", string.upper))
end

local TYPES = { string = true, number = true, time = true, duration = true, address = true,
  spark = true } -- a list of amounts, drawn small
-- What a column's cells stand for, so that a page can narrow other tables by them.
local ROLES = { address = true, country = true, protocol = true, service = true, time = true,
  port = true }

local function column(spec)
  if type(spec) == "string" then spec = { name = spec } end
  local name = spec.name or spec[1]
  if type(name) ~= "string" then refuse "a column needs a name" end
  local kind = spec.type or (spec.unit and "number") or nil
  if kind and not TYPES[kind] then
    refuse("column %s: unknown type %s", name, tostring(kind))
  end
  if spec.role and not ROLES[spec.role] then
    refuse("column %s: unknown role %s", name, tostring(spec.role))
  end
  return { name = name, title = spec.title or title_of(name), label = spec.title or name,
    type = kind, unit = spec.unit, digits = spec.digits, role = spec.role, minor = spec.minor,
    spare = spec.spare or spec.minor }
end

--- The columns of a list of { name =, title =, type =, unit = } or names, with titles filled in.
function view.columns(specs)
  local list = {}
  for i, spec in ipairs(specs) do list[i] = column(spec) end
  return list
end

-- Takes what every view has from spec, and puts the view into the collection.
local function add(self, kind, spec)
  local title = spec.title and tostring(spec.title) or title_of(spec.name or kind)
  local name = strings.slug(spec.name or title)
  if name == "" then name = kind end
  local unique, n = name, 1
  while self.names[unique] do
    n = n + 1
    unique = name .. "_" .. n
  end
  self.names[unique] = true
  local v = setmetatable({ kind = kind, name = unique, title = title, total = spec.total,
    notes = spec.notes or (spec.rows and spec.rows.notes) or {}, recipe = self.recipe }, View)
  self.views[#self.views + 1] = v
  return v
end

-- The columns of a view: those that it is given, else those of the aggregate's rows, and behind
-- them more. One with value = function(row) is computed.
local function columns_of(kind, spec)
  need(kind, spec, "rows")
  local specs = spec.columns or spec.rows.columns
  if not specs then need(kind, spec, "columns") end
  specs = { unpack(specs) }
  for _, one in ipairs(spec.more or {}) do specs[#specs + 1] = one end
  for i, one in ipairs(specs) do
    local compute = type(one) == "table" and one.value
    for _, row in ipairs(compute and spec.rows or {}) do row[i] = compute(row) end
  end
  return view.columns(specs)
end

-- The rows for which spec.where holds.
local function rows_of(spec)
  if not spec.where then return spec.rows end
  local rows = { notes = spec.rows.notes }
  for _, row in ipairs(spec.rows) do
    if spec.where(row) then rows[#rows + 1] = row end
  end
  return rows
end

--- out:table { title =, columns = { "name" or { name =, title =, type =, unit =, value = }, … },
--- rows =, more = { columns behind these }, where = function(row), total =, notes =,
--- chart = "the column that a picture shows as bars, or "" for none" }
function out:table(spec)
  local columns = columns_of("table", spec)
  local v = add(self, "table", spec)
  v.columns, v.rows, v.chart = columns, rows_of(spec), spec.chart
end

--- A list of what a recipe has found: see sluice.findings.
function out:findings(spec)
  need("findings", spec, "rows")
  self:table(findings.table(spec))
end

--- out:record { title =, fields = { { "packets", n, unit =, type = }, … } }; values may be
--- out:object { … }, out:array { … } and out.null. tiles: fields that a page shows large.
function out:record(spec)
  need("record", spec, "fields")
  local v = add(self, "record", spec)
  v.fields, v.tiles = spec.fields, spec.tiles
end

-- An aggregate's label "bytes by port" names both columns.
local function names_of(spec)
  local of, by = tostring(spec.rows.label or ""):match("^(.+) by (.+)$")
  local unit = spec.unit or spec.rows.unit
  local label, amount = spec.label or by or "label", spec.value or of or unit or "value"
  if not unit and (amount == "bytes" or amount:find(" bytes$")) then unit = "bytes" end
  return label, amount, unit
end

-- Rows of an aggregate with several keys: { key, key, n } is labelled by all its keys.
local function label_and_amount(rows)
  local short = {}
  for i, row in ipairs(rows) do
    local n = #row
    local label = row[1]
    if n > 2 then
      local parts = {}
      for k = 1, n - 1 do parts[k] = value.text(row[k]) end
      label = table.concat(parts, " ")
    end
    short[i] = { label, row[n] }
  end
  return short
end

--- out:bars { title =, rows = { { label, n }, … }, unit =, label = "port", value = "bytes" }
--- out:bars { title =, columns = { "host", { name = "sent", unit = "bytes" }, … }, rows = { { host,
--- n, … }, … } }: the amounts of a row are parts of one bar, with one unit;
--- grouped: bars of their own, beneath each other.
function out:bars(spec)
  need("bars", spec, "rows")
  if spec.columns then
    local v = add(self, "bars", spec)
    v.columns, v.rows, v.grouped = view.columns(spec.columns), spec.rows, spec.grouped
    v.unit = spec.unit or v.columns[2] and v.columns[2].unit
    if #v.columns < 2 then refuse "out:bars needs a label and at least one amount" end
    return
  end
  local label, amount, unit = names_of(spec)
  local v = add(self, "bars", spec)
  v.total = v.total or spec.rows.total
  v.unit, v.rows = unit, label_and_amount(spec.rows)
  v.columns = {
    { name = strings.slug(label), title = title_of(label) },
    { name = strings.slug(amount), title = title_of(amount), type = "number", unit = unit },
  }
end

--- out:lines { title =, columns = { { name = "time", type = "time" }, { name = "bytes",
--- unit = "bytes" }, … }, rows = { { t, n, … }, … }, stacked =, interval = seconds, unit = }
--- A row holds from its t to the next; t ascends, and is a time, or a duration from the start.
function out:lines(spec)
  need("lines", spec, "columns")
  need("lines", spec, "rows")
  local v = add(self, "lines", spec)
  v.columns, v.rows, v.stacked, v.interval = view.columns(spec.columns), spec.rows, spec.stacked,
    spec.interval
  if #v.columns < 2 then refuse "out:lines needs a time column and at least one more" end
  v.columns[1].type = v.columns[1].type or "time"
  v.unit = spec.unit or v.columns[2].unit
end

--- out:histogram { title =, unit = "s", rows = { { from, to, n, … }, … }, columns = { { name =
--- "tcp", unit = "flows" }, … } }: the columns are those of n, …; several are stacked. The first
--- row's from and the last row's to may be nil: nothing is left out.
function out:histogram(spec)
  need("histogram", spec, "rows")
  need("histogram", spec, "columns")
  local v = add(self, "histogram", spec)
  v.unit, v.rows = spec.unit, spec.rows
  v.columns = view.columns(spec.columns)
  if #v.columns < 1 then refuse "out:histogram needs at least one column" end
  local edge = spec.unit == "s" and "duration" or "number"
  table.insert(v.columns, 1, { name = "from", title = "From", type = edge, unit = spec.unit })
  table.insert(v.columns, 2, { name = "to", title = "To", type = edge, unit = spec.unit })
end

-- What stands in a column, each once, in the order of the rows.
local function labels_of(rows, index)
  local list, seen = {}, {}
  for _, row in ipairs(rows) do
    local label = row[index]
    if not seen[label] then list[#list + 1], seen[label] = label, true end
  end
  return list
end

--- out:heatmap { title =, y = { "2026-01-01", … }, x = { "00", … }, columns = { "day", "hour",
--- { name = "bytes", unit = "bytes" }, … }, rows = { { y, x, v, … }, … } }: colors by the first
--- amount; a page can show the others.
function out:heatmap(spec)
  local columns = columns_of("heatmap", spec)
  local v = add(self, "heatmap", spec)
  v.columns, v.rows = columns, spec.rows
  v.y, v.x = spec.y or labels_of(spec.rows, 1), spec.x or labels_of(spec.rows, 2)
  if #v.columns < 3 then refuse "out:heatmap needs columns for y, x and at least one amount" end
end

--- out:scatter { title =, columns = { "service", { name = "bytes", unit = "bytes" }, { name =
--- "flows", unit = "flows" }, … }, rows =, x = "bytes", y = "flows" }: logarithmic on both axes.
function out:scatter(spec)
  local columns = columns_of("scatter", spec)
  local v = add(self, "scatter", spec)
  v.columns, v.rows = columns, spec.rows
  local at, amounts = {}, {}
  for i, c in ipairs(v.columns) do
    at[c.name] = i
    if c.unit or c.type == "number" then amounts[#amounts + 1] = c.name end
  end
  v.x, v.y = spec.x or amounts[1], spec.y or amounts[2]
  for _, axis in ipairs { tostring(v.x), tostring(v.y) } do
    if (at[axis] or 1) == 1 then refuse("out:scatter has no amount %s", axis) end
  end
  v.x_index, v.y_index = at[v.x], at[v.y]
end

local function by_value(a, b)
  local x, y = value.tonumber(a[2]) or 0, value.tonumber(b[2]) or 0
  if x ~= y then return x > y end
  return tostring(a[1]) < tostring(b[1])
end

--- out:map { title =, values = { { "DE", n }, … }, other = { { "private", n }, … }, unit = }
--- What is not two capital letters goes to other. whole: what shares are of (default: the sum).
--- With columns = { { name = "bytes", unit = "bytes" }, … } values hold as many amounts, { "DE", n,
--- m, … }: the first colors the map.
function out:map(spec)
  need("map", spec, "values")
  local v = add(self, "map", spec)
  v.metrics = spec.columns and view.columns(spec.columns) or nil
  spec.unit = spec.unit or v.metrics and v.metrics[1].unit
  v.unit, v.values, v.other = spec.unit or spec.values.unit, {}, {}
  v.whole = value.tonumber(spec.whole)
  for _, list in ipairs { spec.values, spec.other or {} } do
    for _, pair in ipairs(list) do
      local code = value.text(pair[1])
      local to = code:find("^%u%u$") and v.values or v.other
      to[#to + 1] = { code, unpack(pair, 2, #(v.metrics or "1") + 1) }
    end
  end
  table.sort(v.values, by_value)
  table.sort(v.other, by_value)
end

--- out:text { title =, lines = { "…", … } }
function out:text(spec)
  need("text", spec, "lines")
  local v = add(self, "text", spec)
  v.lines = spec.lines
end

local function map_table(v)
  local countries = require("sluice.countries")
  local name = strings.slug(v.unit or "value")
  local rows, columns = {}, { { name = "country", title = "Code", role = "country" },
    { name = "name", title = "Country" } }
  for _, list in ipairs { v.values, v.other } do
    for _, pair in ipairs(list) do
      rows[#rows + 1] = { pair[1], countries.name(pair[1]), unpack(pair, 2) }
    end
  end
  for _, metric in ipairs(v.metrics
    or { { name = name, title = title_of(name), type = "number", unit = v.unit } }) do
    columns[#columns + 1] = metric
  end
  return columns, rows
end

local function record_table(v)
  local list, row = {}, {}
  for i, field in ipairs(v.fields) do
    list[i] = { name = field[1], title = title_of(field[1]), type = field.type, unit = field.unit }
    row[i] = field[2]
  end
  return list, { row }
end

--- The view as columns and rows, whatever its kind: for CSV, JSON lines and tables.
function View:tabular()
  if self.kind == "map" then return map_table(self) end
  if self.kind == "record" then return record_table(self) end
  if self.kind == "text" then
    local rows = {}
    for i, line in ipairs(self.lines) do rows[i] = { tostring(line) } end
    return { { name = "text", title = "Text", type = "string" } }, rows
  end
  return self.columns, self.rows
end

--- The collection that a recipe's finish(out) gets; the views are in out.views, in order.
function view.new()
  return setmetatable({ views = {}, names = {} }, out)
end

return view
