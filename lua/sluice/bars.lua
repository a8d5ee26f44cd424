-- Amounts by name as horizontal bars, one of several parts each where a row has several amounts.
-- Coordinates are pixels from the lower left corner.
local gnuplot = require "sluice.gnuplot"
local palette = require "sluice.palette"
local units = require "sluice.units"
local value = require "sluice.value"

local bars = {}

local MOST = 40 -- without --top
local ROW, THICKEST = 30, 34 -- a bar's share of the height where the content decides it; its limit
local LABEL_SIZE = 14
local LABEL_SHARE = 0.36 -- of the width, at most, for labels

-- What the bars say: labels, amounts of each part, their sum as text, and the widest of the texts.
local function measure(view, n, width)
  local m = { label_width = 0, text_width = 0, largest = 0, labels = {}, parts = {}, texts = {} }
  for i = 1, n do
    local row, sum = view.rows[i], 0
    m.parts[i] = {}
    for c = 2, #view.columns do
      local amount = value.tonumber(row[c]) or 0
      m.parts[i][c - 1] = math.max(0, amount)
      sum = view.grouped and math.max(sum, amount) or sum + amount
    end
    m.labels[i] = gnuplot.fit(units.cell(row[1], view.columns[1]), width * LABEL_SHARE, LABEL_SIZE)
    m.texts[i] = units.cell(#view.columns > 2 and sum or row[2], view.columns[2])
    m.label_width = math.max(m.label_width, gnuplot.text_width(m.labels[i], LABEL_SIZE))
    m.text_width = math.max(m.text_width, gnuplot.text_width(m.texts[i], LABEL_SIZE))
    m.largest = math.max(m.largest, sum)
  end
  local head = gnuplot.text_width(view.columns[1].title, 13)
  m.label_width = math.max(m.label_width, math.min(head, width * LABEL_SHARE))
  return m
end

local function axis(s, area, view, largest)
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

local function head(s, area, view, chart, edge)
  s:label(view.columns[1].title, area.left - 10, area.top + 12,
    { size = 13, color = palette.muted, align = "right", max = area.left - 10 - edge })
  if #view.columns == 2 then
    s:label(view.columns[2].title, area.left, area.top + 12, { size = 13, color = palette.muted })
    return
  end
  local series = {}
  for c = 2, #view.columns do series[c - 1] = { view.columns[c].title, c - 1 } end
  chart.legend(s, series, area.left + area.width, area.top + 12, area.left)
end

-- "192.0.2.1: sent 3.4 MB, received 1.2 MB".
local function told(view, row, text)
  if #view.columns == 2 then
    return ("%s: %s"):format(units.cell(row[1], view.columns[1]), text)
  end
  local parts = {}
  for c = 2, #view.columns do
    parts[c - 1] = ("%s %s"):format(view.columns[c].title:lower(),
      units.cell(row[c], view.columns[c]))
  end
  return ("%s: %s"):format(units.cell(row[1], view.columns[1]), table.concat(parts, ", "))
end

-- The same where each part is a bar of its own. Returns where the longest one ends.
local function place_group(lists, amounts, area, last, y, thick)
  local farthest, height = area.left, thick / #amounts
  for part, amount in ipairs(amounts) do
    local x2 = area.left + math.max(amount / last * area.width, amount > 0 and 1 or 0)
    local y2 = y + thick / 2 - (part - 1) * height
    if amount > 0 then
      table.insert(lists[part], { area.left, y2 - height, x2, y2 - height, x2, y2, area.left, y2 })
    end
    farthest = math.max(farthest, x2)
  end
  return farthest
end

-- The rectangles of one row, added to the list of each part. Returns where the bar ends.
local function place_row(lists, amounts, area, last, y, thick)
  local x, y1, y2 = area.left, y - thick / 2, y + thick / 2
  for part, amount in ipairs(amounts) do
    local length = amount / last * area.width
    if length > 0 then length = math.max(length, 1) end
    local x2 = x + length
    if length > 0 then table.insert(lists[part], { x, y1, x2, y1, x2, y2, x, y2 }) end
    x = x2
  end
  return x
end

local function draw(s, view, m, area, n, last)
  local step = (area.top - area.bottom) / n
  local thick = math.min(step * 0.74, THICKEST)
  local size = math.max(7, math.min(LABEL_SIZE, step * 0.95))
  local lists, role = {}, view.columns[1].role
  for part = 1, #view.columns - 1 do lists[part] = {} end
  for i = 1, n do
    local y = area.top - (i - 0.5) * step
    local place = view.grouped and place_group or place_row
    local x = place(lists, m.parts[i], area, last, y, thick)
    s:label(m.labels[i], area.left - 10, y, { size = size, color = palette.text, align = "right" })
    s:label(m.texts[i], x + 8, y, { size = size, color = palette.text })
    s:mark(0, y - step / 2, s.width, step, told(view, view.rows[i], m.texts[i]), role,
      role and units.cell(view.rows[i][1], view.columns[1]))
  end
  for part, list in ipairs(lists) do
    s:part("s" .. part)
    if #list > 0 then s:polygons(list, palette.series(part)) end
  end
  s:part(nil)
end

--- The script of a bars view; chart: the module that knows the frame.
function bars.script(view, opts, ending, chart)
  local n = math.min(#view.rows, opts.top or MOST)
  if n == 0 then return chart.empty(view, opts, ending) end
  local notes = chart.notes_of(view, math.max(view.total or 0, #view.rows) - n)
  local around = opts.bare and 72
    or 130 + (opts.subtitle and 27 or 0) + (#notes > 0 and 24 or 0)
  local height = opts.height or math.max(opts.bare and 0 or 260, around + n * ROW)
  local s = gnuplot.script(opts.width or chart.WIDTH, height, ending)
  local bottom, top = chart.frame(s, view, opts, notes)
  local m = measure(view, n, s.width)
  local edge = opts.bare and 4 or chart.EDGE
  local area = { left = edge + m.label_width + 12, bottom = bottom + 26, top = top - 24 }
  area.width = s.width - edge - m.text_width - 10 - area.left
  local last = axis(s, area, view, m.largest)
  head(s, area, view, chart, edge)
  draw(s, view, m, area, n, last)
  s:polylines({ { area.left, area.bottom, area.left, area.top } }, palette.axis, 1)
  return s
end

return bars
