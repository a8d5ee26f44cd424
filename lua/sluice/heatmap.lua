-- Two labels and an amount as a grid of colors, by a logarithmic scale.
-- Coordinates are pixels from the lower left corner.
local gnuplot = require "sluice.gnuplot"
local palette = require "sluice.palette"
local units = require "sluice.units"
local value = require "sluice.value"

local heatmap = {}

local SIZE = 13
local CELL = 30 -- height of a row where the content decides it
local LABEL_SHARE = 0.3 -- of the width, at most, for the labels of rows

--- The amounts by y and x, and the least and the largest of them above zero, of one column.
function heatmap.grid(view, column)
  local cells, low, high = {}, math.huge, 0
  for _, row in ipairs(view.rows) do
    local y, x = value.text(row[1]), value.text(row[2])
    local amount = value.tonumber(row[column]) or 0
    cells[y] = cells[y] or {}
    cells[y][x] = row
    if amount > 0 then low, high = math.min(low, amount), math.max(high, amount) end
  end
  return cells, low, high
end

--- Where an amount stands between low and high, 0 to 1, by its logarithm.
function heatmap.share(amount, low, high)
  if amount <= 0 then return nil end
  if high <= low then return 1 end
  return math.log(amount / low) / math.log(high / low)
end

local function told(view, row)
  local parts = { units.cell(row[1], view.columns[1]) .. ", "
    .. units.cell(row[2], view.columns[2]) }
  for c = 3, #view.columns do
    parts[#parts + 1] = ("%s %s"):format(view.columns[c].label,
      units.cell(row[c], view.columns[c]))
  end
  return table.concat(parts, "\n")
end

local function labels(s, view, area, width, height)
  for i, y in ipairs(view.y) do
    local text = gnuplot.fit(units.cell(y, view.columns[1]), s.width * LABEL_SHARE, SIZE)
    s:label(text, area.left - 10, area.top - (i - 0.5) * height,
      { size = SIZE, color = palette.text, align = "right" })
  end
  local free = -math.huge
  for i, x in ipairs(view.x) do
    local text = gnuplot.fit(units.cell(x, view.columns[2]), math.max(width, 40), SIZE)
    local at, half = area.left + (i - 0.5) * width, gnuplot.text_width(text, SIZE) / 2
    if at - half > free then
      s:label(text, at, area.top + 14, { size = SIZE, color = palette.muted, align = "center" })
      free = at + half + 4
    end
  end
end

-- Equal colors are one element of the picture; a page colors cell by cell, so each is its own.
local function draw_cells(s, view, area, width, height)
  local cells, low, high = heatmap.grid(view, 3)
  local empty = {}
  for i, y in ipairs(view.y) do
    for k, x in ipairs(view.x) do
      local row = (cells[value.text(y)] or {})[value.text(x)]
      local x1, y1 = area.left + (k - 1) * width + 1, area.top - i * height + 1
      local x2, y2 = x1 + width - 2, y1 + height - 2
      local shape = { x1, y1, x2, y1, x2, y2, x1, y2 }
      local share = row and heatmap.share(value.tonumber(row[3]) or 0, low, high)
      if share then
        s:part(("c%d-%d"):format(i, k))
        s:polygons({ shape }, palette.scale(share))
        s:part(nil)
      else
        empty[#empty + 1] = shape
      end
      if row then
        s:mark(x1 - 1, y1 - 1, width, height, told(view, row), "cell", ("c%d-%d"):format(i, k))
      end
    end
  end
  if #empty > 0 then s:polygons(empty, palette.grid) end
  return low, high
end

local function scale(s, view, area, low, high, y)
  local width, unit = 220, view.columns[3].unit
  local name = view.columns[3].title
  s:label(name, area.left, y, { size = SIZE, color = palette.muted })
  local x = area.left + gnuplot.text_width(name, SIZE) + 14
  local from = units.format(low, unit)
  s:label(from, x, y, { size = SIZE, color = palette.text })
  x = x + gnuplot.text_width(from, SIZE) + 8
  for at = 0, width - 4, 4 do
    s:rectangle(x + at, y - 7, width - at, 14, palette.scale((at + 2) / width))
  end
  s:label(units.format(high, unit), x + width + 8, y, { size = SIZE, color = palette.text })
end

--- The script of a heat map; chart: the module that knows the frame.
function heatmap.script(view, opts, ending, chart)
  if #view.rows == 0 then return chart.empty(view, opts, ending) end
  local notes = chart.notes_of(view, 0)
  local around = opts.bare and 40 or 150 + (#notes > 0 and 24 or 0)
  local height = opts.height or around + #view.y * CELL
  local s = gnuplot.script(opts.width or chart.WIDTH, height, ending)
  local bottom, top = chart.frame(s, view, opts, notes)
  local side, widest = opts.bare and 4 or chart.EDGE, 0
  for _, y in ipairs(view.y) do
    widest = math.max(widest, gnuplot.text_width(units.cell(y, view.columns[1]), SIZE))
  end
  local area = { left = side + math.min(widest, s.width * LABEL_SHARE) + 14, top = top - 28,
    right = s.width - side, bottom = bottom + (opts.bare and 0 or 34) }
  local width = (area.right - area.left) / #view.x
  local cell_height = (area.top - area.bottom) / #view.y
  labels(s, view, area, width, cell_height)
  local low, high = draw_cells(s, view, area, width, cell_height)
  if high > 0 and not opts.bare then scale(s, view, area, low, high, bottom + 14) end
  return s
end

return heatmap
