-- Views as pictures: the frame that all share, and the choice of what draws a view.
-- Coordinates are pixels from the lower left corner.
local gnuplot = require "sluice.gnuplot"
local palette = require "sluice.palette"
local strings = require "sluice.strings"
local units = require "sluice.units"
local value = require "sluice.value"

local chart = { WIDTH = 1400, HEIGHT = 700, EDGE = 28, TICK_SIZE = 13 }

-- The module that draws a kind of view: script(view, opts, ending) gives a gnuplot script.
local DRAWN_BY = { bars = "sluice.bars", lines = "sluice.lines", map = "sluice.map",
  histogram = "sluice.histogram", heatmap = "sluice.heatmap", scatter = "sluice.scatter" }

--- Title and subtitle above, notes below; with opts.bare none of these, for a page has its own.
--- Returns the room between: bottom and top.
function chart.frame(s, view, opts, notes)
  if opts.bare then return 4, s.height - 6 end
  local top, bottom = s.height - 34, 20
  local room = s.width - 2 * chart.EDGE
  s:label(view.title, chart.EDGE, top,
    { size = 22, bold = true, color = palette.text, max = room })
  if opts.subtitle then
    top = top - 27
    s:label(opts.subtitle, chart.EDGE, top, { size = 14, color = palette.muted, max = room })
  end
  local line = table.concat(notes, "  ·  ")
  if line ~= "" then
    s:label(line, chart.EDGE, bottom, { size = 13, color = palette.muted, max = room })
    bottom = bottom + 24
  end
  return bottom, top - 18
end

--- What belongs below a chart; more: rows that it does not show.
function chart.notes_of(view, more)
  local notes = {}
  for i, note in ipairs(view.notes) do notes[i] = tostring(note) end
  if more > 0 then notes[#notes + 1] = ("%.0f more are not shown (--top)"):format(more) end
  return notes
end

--- A picture that says that there is nothing to show.
function chart.empty(view, opts, ending)
  local height = opts.height or opts.bare and 120 or chart.HEIGHT
  local s = gnuplot.script(opts.width or chart.WIDTH, height, ending)
  local bottom, top = chart.frame(s, view, opts, chart.notes_of(view, 0))
  s:label("no data", s.width / 2, (bottom + top) / 2,
    { size = 20, color = palette.muted, align = "center" })
  return s
end

--- Small squares and names of series, from the right edge to the left, the first one first.
--- series: { { label, number of its color }, … }.
function chart.legend(s, series, right, y, left)
  local widths, total = {}, 0
  local most = (right - left) / #series - 34
  for i, entry in ipairs(series) do
    local name = gnuplot.fit(strings.visible(entry[1]), math.max(20, most), chart.TICK_SIZE)
    widths[i] = { name, gnuplot.text_width(name, chart.TICK_SIZE) + 34 }
    total = total + widths[i][2]
  end
  local x = right - total + 14
  for i, entry in ipairs(series) do
    s:rectangle(x, y - 6, 12, 12, palette.series(entry[2]))
    s:label(widths[i][1], x + 17, y, { size = chart.TICK_SIZE, color = palette.text })
    s:mark(x - 4, y - 10, widths[i][2] - 8, 20, strings.visible(entry[1]), "series",
      "s" .. entry[2])
    x = x + widths[i][2]
  end
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
  return DRAWN_BY[view.kind] ~= nil or (view.kind == "table" and table_as_bars(view) ~= nil)
end

--- The script that draws view, or nil and why there is none; opts as gnuplot.render() takes them.
function chart.script(view, opts, ending)
  local as_bars = view.kind == "table" and table_as_bars(view)
  local drawn = as_bars or view
  local module = DRAWN_BY[as_bars and "bars" or view.kind]
  if module then return require(module).script(drawn, opts, ending, chart) end
  return nil, ("%s: this view has no chart: use -T, or -o with .txt, .csv or .json")
    :format(strings.visible(view.title))
end

return chart
