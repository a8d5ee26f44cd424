-- Charts of block characters for a terminal: bars of parts, histograms, heat maps. What they draw
-- has gone through units.cell(), which leaves nothing that drives a terminal.
local blocks = require "sluice.blocks"
local heatmap = require "sluice.heatmap"
local histogram = require "sluice.histogram"
local strings = require "sluice.strings"
local units = require "sluice.units"
local value = require "sluice.value"

local charts = {}

local GAP = "  "
local LABEL = 48 -- columns of a label at most
local FILLS = { "█", "▓", "▒", "░" } -- of the parts of a bar; further parts begin again
local SHADES = { "░", "▒", "▓", "█" }
local CELL = 12 -- columns of a cell of a heat map at most; 2 at least

-- A bar of several parts in whole columns; what is not nothing shows, where there is room.
local function parted(amounts, largest, room)
  local out, done, sum = {}, 0, 0
  for i, amount in ipairs(amounts) do
    sum = sum + amount
    local till = largest > 0 and math.floor(sum / largest * room + 0.5) or 0
    if amount > 0 and till == done then till = math.min(room, done + 1) end
    out[i] = FILLS[(i - 1) % #FILLS + 1]:rep(math.max(0, till - done))
    done = math.max(done, till)
  end
  return table.concat(out)
end

-- Lines of label, amount and bar. entries: { { label, text, { part, … } }, … }.
local function write_bars(entries, write, width)
  local label_width, text_width, largest = 0, 0, 0
  for _, entry in ipairs(entries) do
    entry.sum = 0
    for _, part in ipairs(entry[3]) do entry.sum = entry.sum + part end
    label_width = math.max(label_width, strings.width(entry[1]))
    text_width = math.max(text_width, strings.width(entry[2]))
    largest = math.max(largest, entry.sum)
  end
  local room = math.max(10, width - label_width - text_width - 2 * #GAP)
  for _, entry in ipairs(entries) do
    local bar = #entry[3] > 1 and parted(entry[3], largest, room)
      or blocks.bar(largest > 0 and entry.sum / largest or 0, room)
    write((strings.pad(entry[1], label_width) .. GAP .. strings.pad(entry[2], text_width, true)
      .. GAP .. bar):gsub(" +$", "") .. "\n")
  end
end

local function write_legend(columns, first, write)
  if #columns == first then return end
  local parts = {}
  for c = first, #columns do
    parts[#parts + 1] = FILLS[(c - first) % #FILLS + 1] .. " "
      .. strings.visible(columns[c].title)
  end
  write(table.concat(parts, GAP) .. "\n")
end

local function amounts_of(row, first, columns)
  local list, sum = {}, 0
  for c = first, #columns do
    list[#list + 1] = math.max(0, value.tonumber(row[c]) or 0)
    sum = sum + (value.tonumber(row[c]) or 0)
  end
  return list, sum
end

-- Bars that stand beneath each other, one for each amount of a row.
local function write_grouped(view, n, write, width)
  local entries = {}
  for i = 1, n do
    local row = view.rows[i]
    for c = 2, #view.columns do
      local name = c == 2 and strings.fit(units.cell(row[1], view.columns[1]), LABEL) or ""
      entries[#entries + 1] = { name .. GAP .. strings.visible(view.columns[c].title:lower()),
        units.cell(row[c], view.columns[c]), { math.max(0, value.tonumber(row[c]) or 0) } }
    end
  end
  write_bars(entries, write, width)
end

--- n rows of a bars view.
function charts.bars(view, n, write, width)
  if view.grouped then return write_grouped(view, n, write, width) end
  local entries = {}
  for i = 1, n do
    local row = view.rows[i]
    local parts, sum = amounts_of(row, 2, view.columns)
    local text = units.cell(#parts > 1 and sum or row[2], view.columns[2])
    entries[i] = { strings.fit(units.cell(row[1], view.columns[1]), LABEL), text, parts }
  end
  write_legend(view.columns, 2, write)
  write_bars(entries, write, width)
end

function charts.histogram(view, write, width)
  if #view.rows == 0 then return write("no data\n") end
  local entries = {}
  for i, row in ipairs(view.rows) do
    local parts, sum = amounts_of(row, 3, view.columns)
    entries[i] = { histogram.class(view, row), units.format(sum, view.columns[3].unit), parts }
  end
  write_legend(view.columns, 3, write)
  write_bars(entries, write, width)
end

-- How many columns of the grid a terminal has room for, and how wide their cells may be, so that
-- labels can be read: two characters at least.
local function fitting(view, label_width, width)
  local room, cell = width - label_width - #GAP, 2
  for _, x in ipairs(view.x) do
    cell = math.max(cell, math.min(CELL, strings.width(units.cell(x, view.columns[2]))))
  end
  cell = math.max(2, math.min(cell, math.floor(room / math.max(1, #view.x)) - 1))
  return math.max(1, math.min(#view.x, math.floor(room / (cell + 1)))), cell
end

local function write_head(view, n, cell, label_width, write)
  local cells = {}
  for k = 1, n do
    cells[k] = strings.pad(strings.fit(units.cell(view.x[k], view.columns[2]), cell), cell + 1)
  end
  write(((" "):rep(label_width) .. GAP .. table.concat(cells)):gsub(" +$", "") .. "\n")
end

--- A grid of shades by the first amount, by its logarithm.
function charts.heatmap(view, write, width)
  if #view.rows == 0 then return write("no data\n") end
  local cells, low, high = heatmap.grid(view, 3)
  local label_width = 0
  for _, y in ipairs(view.y) do
    label_width = math.max(label_width, math.min(24, strings.width(units.cell(y))))
  end
  local n, cell = fitting(view, label_width, width)
  write_head(view, n, cell, label_width, write)
  for _, y in ipairs(view.y) do
    local line = { strings.pad(strings.fit(units.cell(y), label_width), label_width), GAP }
    for k = 1, n do
      local row = (cells[value.text(y)] or {})[value.text(view.x[k])]
      local share = row and heatmap.share(value.tonumber(row[3]) or 0, low, high)
      local shade = share and SHADES[math.min(#SHADES, math.floor(share * #SHADES) + 1)]
      line[#line + 1] = (shade and shade:rep(cell) or strings.pad(" ·", cell)) .. " "
    end
    write((table.concat(line):gsub(" +$", "")) .. "\n")
  end
  if high > 0 then
    write(("%s: ░ from %s, █ up to %s\n"):format(view.columns[3].title,
      units.cell(low, view.columns[3]), units.cell(high, view.columns[3])))
  end
  if n < #view.x then write(("… and %d more columns\n"):format(#view.x - n)) end
end

return charts
