-- Views for people at a terminal: aligned tables, bars and charts of block characters. Every string
-- goes through strings.visible() (in units.cell()): nothing from a capture drives the terminal.
local blocks = require "sluice.blocks"
local late = require "sluice.late"
local charts = late "sluice.text_charts"
local strings = require "sluice.strings"
local text_table = require "sluice.text_table"
local units = require "sluice.units"
local value = require "sluice.value"

local text = {}

local DEFAULT_WIDTH = 100 -- of charts, where no terminal says otherwise
local GAP = "  "

-- How many rows are shown, and how many more there are.
local function bound(view, rows, opts)
  local n = math.min(#rows, opts.top or #rows)
  return n, math.max(view.total or 0, #rows) - n
end

local function write_more(more, write)
  if more > 0 then write(("… and %.0f more (use --top)\n"):format(more)) end
end

local function rows_with_table(view, write, opts)
  local columns, rows = view:tabular()
  local n, more = bound(view, rows, opts)
  if n == 0 then return write("no data\n") end
  text_table.write(columns, rows, n, write, opts.width)
  write_more(more, write)
end

-- A map's table says each country's share too.
local function write_map(view, write, opts)
  local columns, rows = view:tabular()
  local total, shown = view.whole or 0, {}
  for _, row in ipairs(view.whole and {} or rows) do
    total = total + (value.tonumber(row[3]) or 0)
  end
  local share = { name = "share", title = "Share", type = "number", unit = "%" }
  local list = { columns[2], columns[1], columns[3], share, unpack(columns, 4) }
  for i, row in ipairs(rows) do
    local percent = total > 0 and (value.tonumber(row[3]) or 0) / total * 100 or 0
    local code = row[1]:find("^%u%u$") and row[1] or ""
    shown[i] = { row[2], code, row[3], percent, unpack(row, 4) }
  end
  local n, more = bound(view, shown, opts)
  if n == 0 then return write("no data\n") end
  text_table.write(list, shown, n, write, opts.width)
  write_more(more, write)
end

local function write_bars(view, write, opts)
  local n, more = bound(view, view.rows, opts)
  if n == 0 then return write("no data\n") end
  charts.bars(view, n, write, opts.width or DEFAULT_WIDTH)
  write_more(more, write)
end

local function write_histogram(view, write, opts)
  charts.histogram(view, write, opts.width or DEFAULT_WIDTH)
end

local function write_heatmap(view, write, opts)
  charts.heatmap(view, write, opts.width or DEFAULT_WIDTH)
end

local function unit_of(name, field)
  if field.unit or field.type then return field end
  if name == "bytes" or name:find("_bytes$") then return { unit = "bytes" } end
  if name == "duration" then return { type = "duration" } end
  return field
end

-- Small amounts say enough by themselves; of large ones the exact number stands behind.
local function scalar(name, field, v)
  local column = unit_of(name, field)
  local shown = units.cell(v, column)
  local n = value.tonumber(v)
  if column.unit and n and math.abs(n) >= 1000 and n % 1 == 0 then
    return ("%s (%s)"):format(shown, value.text(v))
  end
  return shown
end

local function fields_of(v)
  if value.kind(v) == "object" then return v end
  local fields = {}
  for k, item in pairs(v) do fields[#fields + 1] = { tostring(k), item } end
  table.sort(fields, function(a, b) return a[1] < b[1] end)
  return fields
end

local function is_object(v)
  local kind = value.kind(v)
  return kind == "object" or kind == "map"
end

-- An object inside a record: its scalars on one line, "packets 12, bytes 3.4 kB".
local function inline(v)
  local out = {}
  for i, field in ipairs(fields_of(v)) do
    local name = tostring(field[1])
    local column = unit_of(name, field)
    out[i] = strings.visible(name) .. " " .. units.cell(field[2], column)
  end
  return #out > 0 and table.concat(out, ", ") or "–"
end

local function has_objects(v)
  for _, field in ipairs(fields_of(v)) do
    if is_object(field[2]) then return true end
  end
  return false
end

local function write_fields(fields, write, indent)
  local width = 0
  for _, field in ipairs(fields) do
    width = math.max(width, strings.width(strings.visible(tostring(field[1]))))
  end
  for _, field in ipairs(fields) do
    local name, v = tostring(field[1]), field[2]
    local label = indent .. strings.pad(strings.visible(name), width)
    if is_object(v) and has_objects(v) then
      write(indent .. strings.visible(name) .. "\n")
      write_fields(fields_of(v), write, indent .. "  ")
    else
      write(label .. GAP .. (is_object(v) and inline(v) or scalar(name, field, v)) .. "\n")
    end
  end
end

local function write_record(view, write)
  write_fields(view.fields, write, "")
end

local function write_text(view, write)
  for _, line in ipairs(view.lines) do write(strings.visible(tostring(line)) .. "\n") end
end

local function write_lines(view, write, opts)
  blocks.chart(view, write, opts.width or DEFAULT_WIDTH)
end

local WRITERS = { table = rows_with_table, record = write_record, bars = write_bars,
  lines = write_lines, map = write_map, text = write_text, histogram = write_histogram,
  heatmap = write_heatmap, scatter = rows_with_table }

--- Views as text. opts: width (columns of the terminal, nil: as wide as it gets), top (rows of a
--- view), color (true: titles in bold, for a terminal only).
function text.write(views, write, opts)
  opts = opts or {}
  for i, view in ipairs(views) do
    if i > 1 then write("\n") end
    local title = strings.visible(view.title)
    write((opts.color and "\27[1m" .. title .. "\27[0m" or title) .. "\n")
    WRITERS[view.kind](view, write, opts)
    for _, note in ipairs(view.notes) do write(strings.visible(tostring(note)) .. "\n") end
  end
end

return text
