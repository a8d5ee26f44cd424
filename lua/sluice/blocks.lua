-- Charts of Unicode block characters (U+2580 to U+258F), for a terminal of any width.
local series = require "sluice.series"
local strings = require "sluice.strings"
local units = require "sluice.units"

local blocks = {}

local ACROSS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }
local UP = { "▁", "▂", "▃", "▄", "▅", "▆", "▇" }
local ROWS = 8 -- height of a chart of one series

--- A bar of share (0 to 1) of width columns, in eighths; what is not nothing shows at least one.
function blocks.bar(share, width)
  local eighths = math.floor(math.max(0, math.min(1, share)) * width * 8 + 0.5)
  if share > 0 and eighths == 0 then eighths = 1 end
  return ("█"):rep(math.floor(eighths / 8)) .. (ACROSS[eighths % 8] or "")
end

-- One character of a column of height eighths, in the row whose foot stands at base.
local function piece(height, base)
  local eighths = height - base
  if eighths <= 0 then return " " end
  return eighths >= 8 and "█" or UP[eighths]
end

local function rows_of(values, max, height)
  local rows = {}
  for r = height, 1, -1 do
    local out = {}
    for i, v in ipairs(values) do
      local eighths = max > 0 and math.floor(math.max(0, v) / max * height * 8 + 0.5) or 0
      if v > 0 and eighths == 0 then eighths = 1 end
      out[i] = piece(eighths, (r - 1) * 8)
    end
    rows[#rows + 1] = (table.concat(out):gsub(" +$", ""))
  end
  return rows
end

--- A list of amounts as one row of columns.
function blocks.spark(values)
  local max = 0
  for _, v in ipairs(values) do max = math.max(max, v) end
  return rows_of(values, max, 1)[1] or ""
end

local function maximum(values)
  local max = 0
  for _, v in ipairs(values) do max = math.max(max, v) end
  return max
end

local function axis(s, indent, width, write)
  local from, to
  if s.relative then
    from, to = units.duration(s.first), units.duration(s.last)
  else
    from, to = units.time(s.first), units.time(s.last)
  end
  write((" "):rep(indent) .. from
    .. (" "):rep(math.max(1, width - #from - #to)) .. to .. "\n")
end

local function one(s, view, write, width)
  local column = s.columns[1]
  local top = units.format(maximum(s.values[1]), column.unit or view.unit)
  local indent = strings.width(top) + 2
  local room = math.max(20, width - indent)
  local max = maximum(s.values[1])
  for r, row in ipairs(rows_of(series.slices(s, room)[1], max, ROWS)) do
    local label = r == 1 and top or r == ROWS and "0" or ""
    write((strings.pad(label, indent - 2, true) .. " ┤" .. row) .. "\n")
  end
  axis(s, indent, room, write)
end

local function several(s, view, write, width)
  local names, tops, name_width, top_width = {}, {}, 0, 0
  for c, column in ipairs(s.columns) do
    names[c] = strings.fit(strings.visible(column.label), 32)
    tops[c] = "max " .. units.format(maximum(s.values[c]), column.unit or view.unit)
      .. (view.interval and " per " .. units.duration(view.interval) or "")
    name_width = math.max(name_width, strings.width(names[c]))
    top_width = math.max(top_width, strings.width(tops[c]))
  end
  local room = math.max(20, width - name_width - top_width - 4)
  local slices = series.slices(s, room)
  for c in ipairs(s.columns) do
    local row = rows_of(slices[c], maximum(slices[c]), 1)[1]
    write(strings.pad(names[c], name_width) .. "  " .. strings.pad(row, room) .. "  "
      .. tops[c] .. "\n")
  end
  axis(s, name_width + 2, room, write)
end

--- A lines view: one series as a chart of eight rows, several as one row each with its own scale.
function blocks.chart(view, write, width)
  local s = series.new(view)
  if #s.times == 0 then return write("no data\n") end
  local draw = #s.columns == 1 and one or several
  draw(s, view, write, width)
end

return blocks
