-- Things by two of their amounts, both axes logarithmic; what has none of one stands at its edge.
-- Coordinates are pixels from the lower left corner.
local gnuplot = require "sluice.gnuplot"
local palette = require "sluice.palette"
local units = require "sluice.units"
local value = require "sluice.value"

local scatter = {}

local SIZE = 13
local RADIUS = 6
local MOST_NAMED = 24 -- more names would cover one another whatever is done

-- Whole decades around the amounts of a column above zero.
local function decades(view, column)
  local low, high = math.huge, -math.huge
  for _, row in ipairs(view.rows) do
    local n = value.tonumber(row[column]) or 0
    if n > 0 then
      local exponent = math.log10(n)
      low = math.min(low, math.floor(exponent + 1e-9))
      high = math.max(high, math.ceil(exponent - 1e-9))
    end
  end
  if low > high then low, high = 0, 1 end
  return low, math.max(high, low + 1)
end

-- A function from amounts to pixels between from and to, and the ticks of its axis.
local function axis(view, column, from, to, wanted)
  local low, high = decades(view, column)
  local function place(n)
    if n <= 0 then return from end
    return from + (math.log10(n) - low) / (high - low) * (to - from)
  end
  local ticks, every = {}, math.ceil((high - low) / wanted)
  for exponent = low, high, every do
    local text = units.trimmed(units.format(10 ^ exponent, view.columns[column].unit))
    ticks[#ticks + 1] = { place(10 ^ exponent), text }
  end
  return place, ticks
end

local function circle(x, y)
  local points = {}
  for i = 0, 23 do
    local a = i / 24 * 2 * math.pi
    points[#points + 1], points[#points + 2] = x + RADIUS * math.cos(a), y + RADIUS * math.sin(a)
  end
  return points
end

local function told(view, row)
  local parts = { units.cell(row[1], view.columns[1]) }
  for c = 2, #view.columns do
    parts[#parts + 1] = ("%s %s"):format(view.columns[c].label,
      units.cell(row[c], view.columns[c]))
  end
  return table.concat(parts, "\n")
end

-- A name stands right of its point unless another name or the edge is in the way.
local function name_point(s, taken, text, x, y, right)
  local width = gnuplot.text_width(text, SIZE)
  local x1 = x + RADIUS + 4
  if x1 + width > right then x1 = x - RADIUS - 4 - width end
  for _, box in ipairs(taken) do
    if x1 < box[2] and x1 + width > box[1] and math.abs(y - box[3]) < SIZE then return end
  end
  taken[#taken + 1] = { x1, x1 + width, y }
  s:label(text, x1, y, { size = SIZE, color = palette.text })
end

local function draw_axes(s, view, area, x_ticks, y_ticks)
  for _, tick in ipairs(x_ticks) do
    s:rule(tick[1], area.bottom, tick[1], area.top, palette.grid)
    s:label(tick[2], tick[1], area.bottom - 15,
      { size = SIZE, color = palette.muted, align = "center" })
  end
  for _, tick in ipairs(y_ticks) do
    s:rule(area.left, tick[1], area.right, tick[1], palette.grid)
    s:label(tick[2], area.left - 8, tick[1],
      { size = SIZE, color = palette.muted, align = "right" })
  end
  s:label(view.columns[view.y_index].title, area.left, area.top + 14,
    { size = SIZE, bold = true, color = palette.text })
  s:label(view.columns[view.x_index].title, area.right, area.bottom - 34,
    { size = SIZE, bold = true, color = palette.text, align = "right" })
  s:polylines({ { area.left, area.top, area.left, area.bottom, area.right, area.bottom } },
    palette.axis, 1)
end

--- The script of a scatter view; chart: the module that knows the frame.
function scatter.script(view, opts, ending, chart)
  if #view.rows == 0 then return chart.empty(view, opts, ending) end
  local s = gnuplot.script(opts.width or chart.WIDTH, opts.height or chart.HEIGHT, ending)
  local bottom, top = chart.frame(s, view, opts, chart.notes_of(view, 0))
  local side = opts.bare and 4 or chart.EDGE
  local area = { left = side + 70, right = s.width - side - 16, bottom = bottom + 46,
    top = top - 30 }
  local x_of, x_ticks = axis(view, view.x_index, area.left + 12, area.right - 12,
    math.max(2, math.floor((area.right - area.left) / 90)))
  local y_of, y_ticks = axis(view, view.y_index, area.bottom + 12, area.top - 12,
    math.max(2, math.floor((area.top - area.bottom) / 45)))
  draw_axes(s, view, area, x_ticks, y_ticks)
  local points, taken = {}, {}
  for i, row in ipairs(view.rows) do
    local x = x_of(value.tonumber(row[view.x_index]) or 0)
    local y = y_of(value.tonumber(row[view.y_index]) or 0)
    points[i] = circle(x, y)
    local name = units.cell(row[1], view.columns[1])
    if i <= MOST_NAMED then name_point(s, taken, name, x, y, area.right) end
    s:mark(x - RADIUS - 3, y - RADIUS - 3, 2 * RADIUS + 6, 2 * RADIUS + 6, told(view, row),
      view.columns[1].role, name)
  end
  s:part "s1"
  s:polygons(points, palette.series(1))
  s:part(nil)
  return s
end

return scatter
