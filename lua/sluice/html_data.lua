-- The data of a page: views as JSON that stands in a script element of a data type, so that it is
-- never code. Text from a capture is made visible first, and "<" is written as an escape.
local countries = require "sluice.countries"
local json = require "sluice.json"
local palette = require "sluice.palette"
local strings = require "sluice.strings"
local value = require "sluice.value"

local html_data = {}

-- A cell with its text made fit to be shown; numbers stay exact.
local function cell(v)
  local kind = value.kind(v)
  if kind == "string" then return strings.visible(strings.valid(value.text(v))) end
  if kind == "null" then return value.null end
  return v
end

local function columns_of(columns)
  local list = {}
  for i, c in ipairs(columns) do
    list[i] = value.object { { "name", strings.visible(c.name) },
      { "title", strings.visible(c.title) }, { "type", c.type or value.null },
      { "unit", c.unit or value.null }, { "role", c.role or value.null },
      { "minor", c.minor or false } }
  end
  return value.array(list)
end

local function encode_rows(columns, rows)
  local lines = {}
  for i, row in ipairs(rows) do
    local cells = {}
    for c, column in ipairs(columns) do cells[c] = json.encode(cell(row[c]), column.type) end
    lines[i] = "[" .. table.concat(cells, ",") .. "]"
  end
  return "[" .. table.concat(lines, ",\n") .. "]"
end

local function encode_marks(chart)
  local list = {}
  for i, m in ipairs(chart.marks) do
    list[i] = ("[%.1f,%.1f,%.1f,%.1f,%s,%s,%s]"):format(m.x, m.y, m.width, m.height,
      json.encode((m.text:gsub("[^\n]+", strings.visible))),
      json.encode(m.role or value.null), json.encode(cell(m.key)))
  end
  return "[" .. table.concat(list, ",") .. "]"
end

local function labels(list)
  local out = {}
  for i, v in ipairs(list) do out[i] = cell(v) end
  return value.array(out)
end

local function encode_view(view, chart)
  local columns, rows = view:tabular()
  local notes = {}
  for i, note in ipairs(view.notes) do notes[i] = strings.visible(tostring(note)) end
  local parts = { '"name":' .. json.encode(view.name), '"kind":' .. json.encode(view.kind),
    '"title":' .. json.encode(strings.visible(view.title)),
    '"total":' .. json.encode(math.max(view.total or 0, #rows)),
    '"notes":' .. json.encode(value.array(notes)),
    '"columns":' .. json.encode(columns_of(columns)),
    '"rows":' .. encode_rows(columns, rows) }
  local function add(name, v) parts[#parts + 1] = ('"%s":%s'):format(name, json.encode(v)) end
  if view.kind == "heatmap" then
    add("x", labels(view.x))
    add("y", labels(view.y))
  elseif view.kind == "scatter" then
    add("x", view.x_index - 1)
    add("y", view.y_index - 1)
  elseif view.kind == "map" then
    add("whole", view.whole or value.null)
  end
  if chart then
    add("size", value.array { chart.width, chart.height })
    parts[#parts + 1] = '"marks":' .. encode_marks(chart)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- Names of the countries that some cell may hold: all of them, for a page looks up what it meets.
local function country_names()
  local fields = {}
  for code, name in countries.each() do fields[#fields + 1] = { code, name } end
  table.sort(fields, function(a, b) return a[1] < b[1] end)
  return value.object(fields)
end

local function scale()
  local list = {}
  for i = 0, 20 do list[i + 1] = ("#%06x"):format(palette.scale(i / 20)) end
  return value.array(list)
end

--- The text of the page's data. charts: as html_chart.start() gives them.
function html_data.encode(views, charts)
  local list = {}
  for i, view in ipairs(views) do list[i] = encode_view(view, charts[view]) end
  local text = ('{"scale":%s,"countries":%s,"views":[%s]}'):format(json.encode(scale()),
    json.encode(country_names()), table.concat(list, ",\n"))
  return (text:gsub("<", "\\u003c"))
end

return html_data
