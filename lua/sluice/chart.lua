-- Views as pictures: the frame that all share, bars, and the choice of what fits a view.
-- Coordinates are pixels from the lower left corner.
local gnuplot = require "sluice.gnuplot"
local palette = require "sluice.palette"
local strings = require "sluice.strings"
local units = require "sluice.units"
local value = require "sluice.value"

local chart = {}

local WIDTH, HEIGHT = 1400, 700
local EDGE = 28
local MOST_BARS = 40 -- without --top
local ROW, THICKEST = 30, 34 -- a bar's share of the height where the content decides it; its limit
local LABEL_SIZE = 14

-- Title and subtitle above, notes below. Returns the room between: bottom and top.
local function frame(s, view, opts, notes)
  local top, bottom = s.height - 34, 20
  local room = s.width - 2 * EDGE
  s:label(view.title, EDGE, top, { size = 22, bold = true, color = palette.text, max = room })
  if opts.subtitle then
    top = top - 27
    s:label(opts.subtitle, EDGE, top, { size = 14, color = palette.muted, max = room })
  end
  local line = table.concat(notes, "  ·  ")
  if line ~= "" then
    s:label(line, EDGE, bottom, { size = 13, color = palette.muted, max = room })
    bottom = bottom + 24
  end
  return bottom, top - 18
end

local function notes_of(view, more)
  local notes = {}
  for i, note in ipairs(view.notes) do notes[i] = tostring(note) end
  if more > 0 then notes[#notes + 1] = ("%.0f more are not shown (--top)"):format(more) end
  return notes
end

local function empty(view, opts, ending)
  local s = gnuplot.script(opts.width or WIDTH, opts.height or HEIGHT, ending)
  local bottom, top = frame(s, view, opts, notes_of(view, 0))
  s:label("no data", s.width / 2, (bottom + top) / 2,
    { size = 20, color = palette.muted, align = "center" })
  return s
end

-- What the bars say: labels, their amounts as numbers and as text, and the widest of the texts.
local function measure_bars(view, n, width)
  local m = { label_width = 0, text_width = 0, largest = 0, labels = {}, amounts = {}, texts = {} }
  for i = 1, n do
    local row = view.rows[i]
    local amount = value.tonumber(row[2]) or 0
    m.labels[i] = gnuplot.fit(units.cell(row[1]), width * 0.36, LABEL_SIZE)
    m.amounts[i], m.texts[i] = amount, units.cell(row[2], view.columns[2])
    m.label_width = math.max(m.label_width, gnuplot.text_width(m.labels[i], LABEL_SIZE))
    m.text_width = math.max(m.text_width, gnuplot.text_width(m.texts[i], LABEL_SIZE))
    m.largest = math.max(m.largest, amount)
  end
  local head = gnuplot.text_width(view.columns[1].title, 13)
  m.label_width = math.max(m.label_width, math.min(head, width * 0.36))
  return m
end

local function bar_axis(s, area, view, largest)
  local ticks, last = units.ticks(largest, view.unit, math.max(2, math.floor(area.width / 130)))
  if last > largest * 1.25 and largest > 0 then last = largest * 1.05 end
  for _, tick in ipairs(ticks) do
    if tick[1] <= last then
      local x = area.left + tick[1] / last * area.width
      s:rule(x, area.bottom, x, area.top, palette.grid)
      s:label(tick[2], x, area.bottom - 14, { size = 13, color = palette.muted, align = "center" })
    end
  end
  return last
end

local function bars(view, opts, ending)
  local n = math.min(#view.rows, opts.top or MOST_BARS)
  if n == 0 then return empty(view, opts, ending) end
  local notes = notes_of(view, math.max(view.total or 0, #view.rows) - n)
  local around = 130 + (opts.subtitle and 27 or 0) + (#notes > 0 and 24 or 0)
  local height = opts.height or math.max(260, around + n * ROW)
  local s = gnuplot.script(opts.width or WIDTH, height, ending)
  local bottom, top = frame(s, view, opts, notes)
  local m = measure_bars(view, n, s.width)
  local area = { left = EDGE + m.label_width + 12, bottom = bottom + 26, top = top - 24 }
  area.width = s.width - EDGE - m.text_width - 10 - area.left
  local last = bar_axis(s, area, view, m.largest)
  s:label(view.columns[1].title, area.left - 10, area.top + 12,
    { size = 13, color = palette.muted, align = "right", max = area.left - EDGE - 10 })
  s:label(view.columns[2].title, area.left, area.top + 12, { size = 13, color = palette.muted })
  local step = (area.top - area.bottom) / n
  local thick = math.min(step * 0.74, THICKEST)
  local size = math.max(7, math.min(LABEL_SIZE, step * 0.95))
  local list = {}
  for i = 1, n do
    local y = area.top - (i - 0.5) * step
    local length = math.max(0, m.amounts[i]) / last * area.width
    if length > 0 then length = math.max(length, 1) end
    local x1, x2, y1, y2 = area.left, area.left + length, y - thick / 2, y + thick / 2
    list[i] = { x1, y1, x2, y1, x2, y2, x1, y2 }
    s:label(m.labels[i], area.left - 10, y, { size = size, color = palette.text, align = "right" })
    s:label(m.texts[i], x2 + 8, y, { size = size, color = palette.text })
  end
  s:polygons(list, palette.series(1))
  s:polylines({ { area.left, area.bottom, area.left, area.top } }, palette.axis, 1)
  return s
end

local function is_amount(column)
  return column.unit ~= nil or column.type == "number" or column.type == "duration"
end

-- The columns before the first amount name a row: "tcp 443".
local function row_label(view, row)
  local parts = {}
  for i, column in ipairs(view.columns) do
    if is_amount(column) then break end
    if value.kind(row[i]) ~= "null" then parts[#parts + 1] = units.cell(row[i], column) end
  end
  return table.concat(parts, " ")
end

-- A table is bars if one column of numbers stands out: the one it names, or its only one.
local function table_as_bars(view)
  local chosen
  for i = 2, #view.columns do
    local column = view.columns[i]
    if view.chart == column.name or (not view.chart and is_amount(column)) then
      if chosen then return nil end
      chosen = i
    end
  end
  if not chosen then return nil end
  local rows = {}
  for i, row in ipairs(view.rows) do rows[i] = { row_label(view, row), row[chosen] } end
  return setmetatable({ rows = rows, columns = { view.columns[1], view.columns[chosen] },
    unit = view.columns[chosen].unit }, { __index = view })
end

--- Whether a view can be a picture.
function chart.fits(view)
  return view.kind == "bars" or view.kind == "lines" or view.kind == "map"
    or (view.kind == "table" and table_as_bars(view) ~= nil)
end

--- The script that draws view, or nil and why there is none; opts as gnuplot.render() takes them.
function chart.script(view, opts, ending)
  if view.kind == "lines" then return require("sluice.lines").script(view, opts, ending, chart) end
  if view.kind == "map" then return require("sluice.map").script(view, opts, ending, chart) end
  if view.kind == "bars" then return bars(view, opts, ending) end
  local as_bars = view.kind == "table" and table_as_bars(view)
  if as_bars then return bars(as_bars, opts, ending) end
  return nil, ("%s: this view has no chart: use -T, or -o with .txt, .csv or .json")
    :format(strings.visible(view.title))
end

chart.frame, chart.notes_of, chart.empty = frame, notes_of, empty
chart.WIDTH, chart.HEIGHT, chart.EDGE = WIDTH, HEIGHT, EDGE

return chart
