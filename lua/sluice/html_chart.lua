-- Charts of a page: gnuplot's SVG without its own frame, ids and colors. Colors become names that
-- the page's style sheet fills in, light or dark; parts get names that its script knows.
local chart = require "sluice.chart"
local gnuplot = require "sluice.gnuplot"
local palette = require "sluice.palette"

local html_chart = {}

-- Pixels that a kind of chart is drawn in; half: two of them stand beside one another.
local SIZES = {
  lines = { 1120, 460 }, heatmap = { 1120 }, map = { 1120, 500 }, scatter = { 1120, 460 },
  bars = { 548, half = true }, histogram = { 548, 340, half = true },
}
local NARROW_TABLE = 4 -- columns
local FEW_LINES = 260 -- height where there is one panel

--- Whether there is nothing to draw or to list. A map of nothing is still a map.
function html_chart.is_empty(view)
  if view.kind == "map" then return #view.values + #view.other == 0 end
  return view.rows ~= nil and #view.rows == 0
end

--- Whether a view takes half of a page's width: two stand beside one another.
function html_chart.is_half(view)
  local size = SIZES[view.kind]
  if html_chart.is_empty(view) then return true end
  if size then return size.half or false end
  return view.kind == "table" and #view.columns <= NARROW_TABLE
end

local function units_of(view)
  local seen, n = {}, 0
  for c = 2, #view.columns do
    local unit = view.columns[c].unit or ""
    seen[unit] = seen[unit] or view.columns[c].minor
    if not seen[unit] then seen[unit], n = true, n + 1 end
  end
  return n
end

local function script_of(view, top)
  local size = SIZES[view.kind]
  local height = size[2]
  if view.kind == "lines" and units_of(view) == 1 then height = FEW_LINES end
  return chart.script(view, { bare = true, width = size[1], height = height, top = top }, "svg")
end

-- Colors as gnuplot writes them -> what stands in the page for them.
local function color_names()
  local names = {}
  local function name(color, text)
    names[color] = names[color] or ("var(--%s)"):format(text)
  end
  for _, text in ipairs { "background", "text", "muted", "grid", "axis", "land", "sea",
    "graticule" } do
    name(palette[text], "c-" .. text)
  end
  for i = 1, 8 do
    name(palette.series(i), "s" .. i)
    name(palette.soft(i, 0.6), ("s%d-soft"):format(i))
    name(palette.soft(i, 0.12), ("s%d-fill"):format(i))
  end
  return names
end

-- A part's color may be set by the page's script, as --c.
local function recolored(svg, names, in_part)
  return (svg:gsub("(%a+)%s*=%s*(['\"])rgb%(%s*(%d+),%s*(%d+),%s*(%d+)%)%2",
    function(attribute, _, r, g, b)
      local color = r * 65536 + g * 256 + b
      local text = names[color] or ("#%06x"):format(color)
      if in_part and attribute == "fill" then text = ("var(--c,%s)"):format(text) end
      return ('%s="%s"'):format(attribute, text)
    end))
end

-- One plotted element: its group named after its part, or not at all.
local function element(body, part, names)
  body = recolored(body, names, part ~= nil):gsub("<title>.-</title>", "")
  return part and ('<g data-part="%s">%s</g>'):format(part, body) or body
end

local function tidied(svg)
  svg = svg:gsub(' color="[^"]*"', ""):gsub(' stroke="currentColor"', "")
    :gsub(' stroke%-line%a+="[^"]*"', ""):gsub(' font%-family="[^"]*"', "")
    :gsub(" shape%-rendering='[^']*'", ""):gsub("<text>(.-)</text>", function(text)
      return "<text>" .. text:gsub(">", "&gt;") .. "</text>"
    end)
  for _, attribute in ipairs { "points = '[^']*'", " d='[^']*'" } do
    svg = svg:gsub(attribute, function(list)
      return (list:gsub("(%.%d)%d", "%1"):gsub("%.0([ ,'])", "%1"))
    end)
  end
  svg = svg:gsub("\n%s*", "\n")
  local n
  repeat svg, n = svg:gsub("<g[^>]*>%s*</g>\n?", "") until n == 0
  return svg
end

local HEAD = '<svg viewBox="0 0 %d %d" class="chart" role="img" aria-hidden="true">'

-- gnuplot numbers its plots from 1, of which the first is the invisible one (gnuplot.lua).
local function converted(svg, script, names)
  local body = svg:match "<g id=\"gnuplot_canvas\">(.*)</g>%s*</svg>"
  body = body:gsub("<rect[^>]*/>", "", 1):gsub("<defs>.-</defs>", "", 1)
  body = body:gsub("\t<g id=\"gnuplot_plot_(%d+)\" >(.-)\n\t</g>\n", function(n, inner)
    return element(inner, script.parts[tonumber(n) - 1], names) .. "\n"
  end)
  return HEAD:format(script.width, script.height) .. tidied(recolored(body, names)) .. "</svg>"
end

local Drawing = {}
Drawing.__index = Drawing

--- Puts the pictures into the charts. true, or nil and why not.
function Drawing:finish()
  local svgs, why = self.gnuplot:finish()
  if not svgs then return nil, why end
  local names = color_names()
  for i, svg in ipairs(svgs) do self.list[i].svg = converted(svg, self.scripts[i], names) end
  return true
end

--- Begins to draw the charts of views: { [view] = { marks =, width =, height = } }, and what has
--- finish(), after which they have svg =, too; or nil and why not. path: see gnuplot.start(). top:
--- rows of bars.
function html_chart.start(views, path, top)
  local self, charts = setmetatable({ scripts = {}, list = {} }, Drawing), {}
  palette.use "light"
  for _, view in ipairs(views) do
    if SIZES[view.kind] and not html_chart.is_empty(view) then
      local script = script_of(view, top)
      charts[view] = { marks = script.marks, width = script.width, height = script.height }
      table.insert(self.scripts, script)
      table.insert(self.list, charts[view])
    end
  end
  local why
  self.gnuplot, why = gnuplot.start(self.scripts, path)
  if not self.gnuplot then return nil, why end
  return charts, self
end

return html_chart
