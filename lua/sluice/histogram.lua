-- How many in each class, as columns, stacked where a row has several amounts. Classes are drawn
-- equally wide, whatever their edges: those of durations and sizes grow by factors.
-- Coordinates are pixels from the lower left corner.
local gnuplot = require "sluice.gnuplot"
local palette = require "sluice.palette"
local units = require "sluice.units"
local value = require "sluice.value"

local histogram = {}

local SIZE = 13
local FOOT = 26

local function edge(v, unit)
  return units.trimmed(units.format(v, unit))
end

--- "1 ms to 10 ms", "below 1 ms", "from 1 h".
function histogram.class(view, row)
  local from, to = value.tonumber(row[1]), value.tonumber(row[2])
  if not from and not to then return "all" end
  if not from or from == 0 and to and to > 0 then return "below " .. edge(to, view.unit) end
  if not to then return "from " .. edge(from, view.unit) end
  if from == to then return edge(from, view.unit) end
  return ("%s to %s"):format(edge(from, view.unit), edge(to, view.unit))
end

--- The sum of a row's amounts.
function histogram.sum(row, columns)
  local sum = 0
  for c = 3, #columns do sum = sum + math.max(0, value.tonumber(row[c]) or 0) end
  return sum
end

local function y_axis(s, area, largest, unit)
  local ticks, last = units.ticks(math.max(largest, 1), unit,
    math.max(2, math.floor((area.top - area.bottom) / 45)))
  for _, tick in ipairs(ticks) do
    local y = area.bottom + tick[1] / last * (area.top - area.bottom)
    s:rule(area.left, y, area.right, y, palette.grid)
    s:label(tick[2], area.left - 8, y, { size = SIZE, color = palette.muted, align = "right" })
  end
  return last
end

-- The lower edges of classes, as many as have room; what lies below the first edge has none.
local function x_axis(s, view, area, step)
  local free, before = -math.huge, nil
  for i, row in ipairs(view.rows) do
    local from, to = value.tonumber(row[1]), value.tonumber(row[2])
    local text = from and from ~= before and edge(from, view.unit)
    local x = area.left + (i - 1) * step
    if from == to then x, before = x + step / 2, from end -- one value, no class
    local half = text and gnuplot.text_width(text, SIZE) / 2 or 0
    if text and x - half > free then
      s:rule(x, area.bottom - 4, x, area.bottom, palette.axis)
      s:label(text, x, area.bottom - 15, { size = SIZE, color = palette.muted, align = "center" })
      free = x + half + 14
    end
  end
end

local function told(view, row)
  local parts = { histogram.class(view, row) }
  for c = 3, #view.columns do
    local n = value.tonumber(row[c]) or 0
    if n > 0 or #view.columns == 3 then
      parts[#parts + 1] = ("%s %s"):format(view.columns[c].label,
        units.format(n, view.columns[c].unit))
    end
  end
  return table.concat(parts, "\n")
end

local function columns_of(s, view, area, last, step)
  local lists, height = {}, area.top - area.bottom
  for i, row in ipairs(view.rows) do
    local x1, x2 = area.left + (i - 1) * step + step * 0.06, area.left + i * step - step * 0.06
    local y = area.bottom
    for c = 3, #view.columns do
      local amount = math.max(0, value.tonumber(row[c]) or 0)
      local y2 = y + amount / last * height
      if amount > 0 then
        y2 = math.max(y2, y + 1)
        lists[c] = lists[c] or {}
        table.insert(lists[c], { x1, y, x2, y, x2, y2, x1, y2 })
      end
      y = y2
    end
    s:mark(area.left + (i - 1) * step, area.bottom, step, height, told(view, row))
  end
  return lists
end

--- The script of a histogram view; chart: the module that knows the frame.
function histogram.script(view, opts, ending, chart)
  if #view.rows == 0 then return chart.empty(view, opts, ending) end
  local s = gnuplot.script(opts.width or chart.WIDTH, opts.height or chart.HEIGHT, ending)
  local bottom, top = chart.frame(s, view, opts, chart.notes_of(view, 0))
  local side, largest = opts.bare and 4 or chart.EDGE, 0
  for _, row in ipairs(view.rows) do
    largest = math.max(largest, histogram.sum(row, view.columns))
  end
  local area = { left = side + 62, right = s.width - side - 14, bottom = bottom + FOOT,
    top = top - 30 }
  local last = y_axis(s, area, largest, view.columns[3].unit)
  local step = (area.right - area.left) / #view.rows
  x_axis(s, view, area, step)
  local series = {}
  for c, list in pairs(columns_of(s, view, area, last, step)) do
    s:part("s" .. c - 2)
    s:polygons(list, palette.series(c - 2))
  end
  s:part(nil)
  for c = 3, #view.columns do series[c - 2] = { view.columns[c].label, c - 2 } end
  if #series > 1 then chart.legend(s, series, area.right, top - 10, area.left) end
  s:polylines({ { area.left, area.bottom, area.right, area.bottom } }, palette.axis, 1)
  return s
end

return histogram
