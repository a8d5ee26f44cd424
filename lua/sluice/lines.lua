-- Amounts over time as a picture: a panel for each unit, the time axis below them all in UTC.
-- Coordinates are pixels from the lower left corner.
local gnuplot = require "sluice.gnuplot"
local palette = require "sluice.palette"
local series = require "sluice.series"
local time_scale = require "sluice.time_scale"
local units = require "sluice.units"

local lines = {}

local AXIS_HEIGHT = 48 -- clock and date below the lowest panel
local HEAD = 30 -- title and legend above each panel
local TICK_SIZE = 13

-- Series by unit, in order: { { unit =, members = { 1, 3 } }, … }.
local function panels_of(s, view)
  local list, by_unit = {}, {}
  for c, column in ipairs(s.columns) do
    local unit = column.unit or view.unit or ""
    if not by_unit[unit] then
      by_unit[unit] = { unit = unit, members = {} }
      list[#list + 1] = by_unit[unit]
    end
    table.insert(by_unit[unit].members, c)
  end
  return list
end

-- What a panel's amounts reach: the largest, or the largest sum where they are stacked.
local function reach(s, panel, stacked)
  local max = 0
  for i = 1, #s.times do
    local sum = 0
    for _, c in ipairs(panel.members) do
      sum = stacked and sum + math.max(0, s.values[c][i]) or math.max(sum, s.values[c][i])
    end
    max = math.max(max, sum)
  end
  return max
end

-- Pieces of the time axis on which nothing changes: { x1, x2, row or nil }; nil where no row holds.
local function pieces_of(s, x_of)
  local pieces = {}
  for i, t in ipairs(s.times) do
    local after = s.times[i + 1]
    local gap = not after or after - t > 1.5 * s.interval
    local x1, x2 = x_of(t), x_of(gap and t + s.interval or after)
    -- A short burst in a long capture still shows.
    if gap and x2 - x1 < 1 then x2 = x1 + 1 end
    pieces[#pieces + 1] = { x1, x2, i }
    if after and gap and x_of(after) > x2 then pieces[#pieces + 1] = { x2, x_of(after) } end
  end
  return pieces
end

-- The steps of amounts along pieces: x, y, x, y…; amount(row) in units, y_of(amount) in pixels.
local function path(pieces, amount, y_of)
  local points = {}
  for _, piece in ipairs(pieces) do
    local y = y_of(piece[3] and math.max(0, amount(piece[3])) or 0)
    for _, n in ipairs { piece[1], y, piece[2], y } do points[#points + 1] = n end
  end
  return points
end

-- Points there and, along other, back again: an area.
local function between(points, other)
  local area = {}
  for i = 1, #points do area[i] = points[i] end
  for i = #other - 1, 1, -2 do
    area[#area + 1] = other[i]
    area[#area + 1] = other[i + 1]
  end
  return area
end

local function nothing() return 0 end

local function draw_stacked(script, s, panel, pieces, y_of)
  local sums = {}
  for i = 1, #s.times do sums[i] = 0 end
  local function sum(i) return sums[i] end
  local below = path(pieces, nothing, y_of)
  for _, c in ipairs(panel.members) do
    for i = 1, #s.times do sums[i] = sums[i] + math.max(0, s.values[c][i]) end
    local above = path(pieces, sum, y_of)
    script:part("s" .. c)
    script:polygons({ between(above, below) }, palette.soft(c, 0.12))
    below = above
  end
end

local function draw_series(script, s, panel, pieces, y_of, stacked)
  if stacked and #panel.members > 1 then return draw_stacked(script, s, panel, pieces, y_of) end
  for _, c in ipairs(panel.members) do
    local points = path(pieces, function(i) return s.values[c][i] end, y_of)
    local color = palette.series(c)
    script:part("s" .. c)
    if #panel.members == 1 then
      local foot = path(pieces, nothing, y_of)
      script:polygons({ between(points, foot) }, palette.soft(c, 0.6))
    end
    local outline = { points[1], y_of(0) }
    for i = 1, #points do outline[#outline + 1] = points[i] end
    outline[#outline + 1], outline[#outline + 2] = points[#points - 1], y_of(0)
    script:polylines({ outline }, color, #panel.members == 1 and 1.3 or 1.8)
  end
end

-- "Bytes per 10 s": amounts of a bin mean nothing without its length.
local function panel_title(s, panel, view)
  local title = s.columns[panel.members[1]].title
  if #panel.members > 1 then
    title = panel.unit ~= "" and panel.unit:gsub("^%l", string.upper) or ""
  end
  local counted = not panel.unit:find("/") and panel.unit ~= "%" and panel.unit ~= "s"
  if not counted or title == "" then return title end
  local every = view.interval or s.bin or s.interval
  local length = units.trimmed(units.duration(every)):gsub("^1 (%a+)$", "%1")
  return ("%s per %s%s"):format(title, length, s.bin and ", peaks" or "")
end

local function draw_panel(script, s, panel, view, area, x_of, chart)
  local last = panel.last
  local function y_of(amount)
    return area.bottom + math.min(amount / last, 1) * (area.top - area.bottom)
  end
  for _, tick in ipairs(panel.ticks) do
    local y = y_of(tick[1])
    script:rule(area.left, y, area.right, y, palette.grid)
    script:label(tick[2], area.left - 8, y,
      { size = TICK_SIZE, color = palette.muted, align = "right" })
  end
  draw_series(script, s, panel, pieces_of(s, x_of), y_of, view.stacked)
  script:part(nil)
  script:polylines({ { area.left, area.bottom, area.right, area.bottom } }, palette.axis, 1)
  local title = panel_title(s, panel, view)
  local head = area.top + HEAD / 2 + 2
  script:label(title, area.left, head,
    { size = 14, bold = #panel.members == 1, color = palette.text, max = area.right - area.left })
  if #panel.members > 1 then
    local from = area.left + gnuplot.text_width(title, 14) + 20
    local entries = {}
    for i, c in ipairs(panel.members) do entries[i] = { s.columns[c].label, c } end
    chart.legend(script, entries, area.right, head, from)
  end
end

-- Ticks of a piece of the axis. One that is shorter than any step has its beginning.
local function time_ticks(s, piece, wanted)
  if not s.relative then
    local ticks = units.time_ticks(piece.first, piece.last, wanted)
    if #ticks > 0 then return ticks end
    return { { piece.first, units.clock(piece.first, true), units.date(piece.first) } }
  end
  local ticks = {}
  for _, tick in ipairs((units.ticks(s.last - s.first, "s", wanted))) do
    if tick[1] <= s.last - s.first then ticks[#ticks + 1] = { s.first + tick[1], tick[2] } end
  end
  return ticks
end

-- Where time is left out: two slanted lines across the axis.
local function draw_break(script, x, y)
  for _, dx in ipairs { -3, 3 } do
    script:polylines({ { x + dx - 3, y - 6, x + dx + 3, y + 6 } }, palette.axis, 1.2)
  end
end

local function draw_times(script, s, area, scale)
  local style = { size = TICK_SIZE, color = palette.muted, align = "center" }
  local zone = " UTC"
  for i, piece in ipairs(scale.pieces) do
    local least = #scale.pieces > 1 and 1 or 2
    local wanted = math.max(least, math.floor((piece.right - piece.left) / 110))
    for _, tick in ipairs(time_ticks(s, piece, wanted)) do
      local x = scale.x_of(tick[1])
      script:rule(x, area.bottom, x, area.top, palette.grid)
      script:rule(x, area.bottom - 5, x, area.bottom, palette.axis)
      -- Whole, also at the picture's edge.
      local half = gnuplot.text_width(tick[2], TICK_SIZE) / 2
      local middle = math.min(x, script.width - half - 2)
      script:label(tick[2], middle, area.bottom - 15, style)
      if tick[3] then script:label(tick[3] .. zone, middle, area.bottom - 33, style) end
      zone = ""
    end
    local after = scale.pieces[i + 1]
    if after then draw_break(script, (piece.right + after.left) / 2, area.bottom) end
  end
end

-- What stands at each time, for who points at it: "10:15:00, bytes 1.2 MB, packets 33".
local function mark_times(script, s, view, area, x_of)
  for i, t in ipairs(s.times) do
    local parts = { s.relative and units.duration(t - s.first) or units.time(t) }
    for c, column in ipairs(s.columns) do
      parts[#parts + 1] = ("%s %s"):format(column.label,
        units.format(s.values[c][i], column.unit or view.unit))
    end
    local x = x_of(t)
    script:mark(x, area.bottom, math.max(1, x_of(t + s.interval) - x), area.top - area.bottom,
      table.concat(parts, "\n"))
  end
end

-- Ticks of every panel first: the widest decides where all of them begin.
local function scale_panels(s, panels, view, height)
  local widest = 0
  for _, panel in ipairs(panels) do
    local max = reach(s, panel, view.stacked)
    panel.ticks, panel.last = units.ticks(max > 0 and max or 1, panel.unit,
      math.max(2, math.floor(height / 45)))
    for _, tick in ipairs(panel.ticks) do
      widest = math.max(widest, gnuplot.text_width(tick[2], TICK_SIZE))
    end
  end
  return widest
end

--- The script of a lines view; chart: the module that knows the frame.
function lines.script(view, opts, ending, chart)
  local s = series.new(view)
  if #s.times == 0 then return chart.empty(view, opts, ending) end
  local script = gnuplot.script(opts.width or chart.WIDTH, opts.height or chart.HEIGHT, ending)
  local bottom, top = chart.frame(script, view, opts, chart.notes_of(view, 0))
  s = series.thinned(s, math.floor(script.width * 0.9))
  local panels = panels_of(s, view)
  bottom = bottom + AXIS_HEIGHT - 8
  local height = (top - bottom) / #panels
  local widest = scale_panels(s, panels, view, height - HEAD)
  local edge = opts.bare and 4 or chart.EDGE
  local area = { left = math.max(opts.bare and 56 or 96, edge + widest + 12),
    right = script.width - (opts.bare and 24 or 58) }
  local scale = time_scale.new(s, area.left, area.right)
  for p, panel in ipairs(panels) do
    area.top = top - (p - 1) * height - HEAD
    area.bottom = top - p * height + (p < #panels and 10 or 0)
    draw_panel(script, s, panel, view, area, scale.x_of, chart)
  end
  area.top = top - HEAD
  draw_times(script, s, area, scale)
  mark_times(script, s, view, area, scale.x_of)
  return script
end

return lines
