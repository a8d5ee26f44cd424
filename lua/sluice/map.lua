-- Countries colored by an amount: a world map with a logarithmic scale.
-- Coordinates are pixels from the lower left corner.
local countries = require "sluice.countries"
local gnuplot = require "sluice.gnuplot"
local palette = require "sluice.palette"
local units = require "sluice.units"
local value = require "sluice.value"

local map = {}

-- Antarctica has no address blocks to speak of; without it everything else is a fifth larger.
local SOUTH, NORTH = -57, 84
local FOOT = 84 -- height of scale and list below the map
local TOO_SMALL = 30 -- square pixels: below, a country gets a dot
local DOT = 4.5 -- its radius
local LIST_SIZE = 14
local UNSEEN = 0.3 -- square pixels: an island that leaves no trace
local FINEST = 1.2 -- pixels between two points of an outline

--- Natural Earth projection (Patterson; polynomial by Savric et al., 2011): degrees to x, y.
function map.project(lon, lat)
  local l, p = math.rad(lon), math.rad(lat)
  local p2 = p * p
  local p4 = p2 * p2
  local x = l * (0.8707 - 0.131979 * p2 + p4 * (-0.013791 + p4 * p2 * (0.003971 - 0.001529 * p2)))
  local y = p * (1.007226 + p2 * (0.015085 + p4 * (-0.044475 + 0.028874 * p2 - 0.005916 * p4)))
  return x, y
end

-- The map inside a box, as large as it fits: a function from degrees to pixels, and the scale.
local function fit_into(left, bottom, right, top)
  local half = map.project(180, 0)
  local _, y_south = map.project(0, SOUTH)
  local _, y_north = map.project(0, NORTH)
  local scale = math.min((right - left) / (2 * half), (top - bottom) / (y_north - y_south))
  local middle = (left + right) / 2
  local base = (bottom + top) / 2 - (y_south + y_north) / 2 * scale
  return function(lon, lat)
    local x, y = map.project(lon, math.max(SOUTH, math.min(NORTH, lat)))
    return middle + x * scale, base + y * scale
  end
end

local function draw_sea(script, place)
  local outline = {}
  local function go(lon, from, to, step)
    for lat = from, to, step do
      outline[#outline + 1], outline[#outline + 2] = place(lon, lat)
    end
  end
  go(-180, SOUTH, NORTH, 3)
  go(180, NORTH, SOUTH, -3)
  script:polygons({ outline }, palette.sea)
  local graticule = {}
  for lon = -150, 150, 30 do
    local meridian = {}
    for lat = SOUTH, NORTH, 3 do
      meridian[#meridian + 1], meridian[#meridian + 2] = place(lon, lat)
    end
    graticule[#graticule + 1] = meridian
  end
  for lat = -30, 60, 30 do
    local x1, y = place(-180, lat)
    local x2 = place(180, lat)
    graticule[#graticule + 1] = { x1, y, x2, y }
  end
  script:polylines(graticule, palette.graticule, 0.8)
end

local function ring_area(points)
  local sum, x1, y1 = 0, points[#points - 1], points[#points]
  for i = 1, #points, 2 do
    local x2, y2 = points[i], points[i + 1]
    sum, x1, y1 = sum + x1 * y2 - x2 * y1, x2, y2
  end
  return math.abs(sum) / 2
end

-- A shape in pixels, without points that would fall on the one before; nil below the lower edge.
local function placed(shape, place)
  local points, above, n = {}, false, #shape
  local last_x, last_y = math.huge, math.huge
  for i = 1, n, 2 do
    above = above or shape[i + 1] > SOUTH
    local x, y = place(shape[i], shape[i + 1])
    if math.abs(x - last_x) + math.abs(y - last_y) >= FINEST or i == n - 1 then
      points[#points + 1], points[#points + 2] = x, y
      last_x, last_y = x, y
    end
  end
  return above and points or nil
end

-- Countries come large ones first, and enclaves must stay above what surrounds them: neighbours in
-- this order that are all grey are one element. Returns the area of each country.
-- With one_by_one each country is an element, for a page that colors them anew.
local function draw_land(script, place, color_of, one_by_one)
  local areas, run, run_of = {}, {}, nil
  local rings, borders = countries.outlines()
  local function flush()
    if run_of ~= "land" and run_of ~= "-" then script:part(run_of) end
    if #run > 0 then script:polygons(run, color_of[run_of] or palette.land) end
    script:part(nil)
    run = {}
  end
  for _, ring in ipairs(rings) do
    local points = placed(ring, place)
    if points then
      local of, area = ring.code, ring_area(points)
      if not one_by_one and not color_of[of] then of = "land" end
      if of ~= run_of then flush() end
      run_of = of
      if area > UNSEEN then run[#run + 1] = points end
      areas[ring.code] = (areas[ring.code] or 0) + area
    end
  end
  flush()
  local lines = {}
  for _, border in ipairs(borders) do lines[#lines + 1] = placed(border, place) end
  script:polylines(lines, palette.background, 0.7)
  return areas
end

local function circle(x, y, radius)
  local points = {}
  for i = 0, 23 do
    local a = i / 24 * 2 * math.pi
    points[#points + 1], points[#points + 2] = x + radius * math.cos(a), y + radius * math.sin(a)
  end
  return points
end

-- Singapore and Malta would not be seen. Small amounts first: dots that touch show the larger one.
local function draw_dots(script, place, shown, areas, color_of)
  for i = #shown, 1, -1 do
    local code = shown[i][1]
    if (areas[code] or 0) < TOO_SMALL then
      local country = countries.get(code)
      local x, y = place(country.lon, country.lat)
      script:polygons({ circle(x, y, DOT + 1.2) }, palette.background)
      script:part(code)
      script:polygons({ circle(x, y, DOT) }, color_of[code])
      script:part(nil)
    end
  end
end

-- Whole decades around all amounts: { low =, high = } as exponents of ten.
local function decades(shown)
  local low, high = math.huge, -math.huge
  for _, pair in ipairs(shown) do
    local exponent = math.log10(pair[2])
    low = math.min(low, math.floor(exponent + 1e-9))
    high = math.max(high, math.ceil(exponent - 1e-9))
  end
  if high <= low then high = low + 1 end
  return { low = low, high = high }
end

local function draw_scale(script, range, unit, x, y, width)
  local height, step = 14, 4
  for at = 0, width - step, step do -- to the end each, so that no gap shines through
    script:rectangle(x + at, y, width - at, height, palette.scale((at + step / 2) / width))
  end
  local every = math.ceil((range.high - range.low) / 7)
  for exponent = range.low, range.high do
    local at = x + (exponent - range.low) / (range.high - range.low) * width
    script:polylines({ { at, y - 4, at, y } }, palette.axis, 1)
    if (exponent - range.low) % every == 0 then
      script:label(units.trimmed(units.format(10 ^ exponent, unit)), at, y - 14,
        { size = 13, color = palette.text, align = "center" })
    end
  end
end

-- "Germany 12 MB, France 3 kB and 4 more": as many whole entries as pixels allow.
local function listed(head, list, unit, pixels)
  local text = head
  for i, pair in ipairs(list) do
    local entry = countries.name(pair[1]) .. " " .. units.cell(pair[2], { unit = unit })
    local longer = text .. (i > 1 and ", " or "") .. entry
    local rest = #list - i
    local tail = rest > 0 and (" and %d more"):format(rest) or ""
    if i > 1 and gnuplot.text_width(longer .. tail, LIST_SIZE) > pixels then
      return ("%s and %d more"):format(text, rest + 1)
    end
    text = longer
  end
  return text
end

-- What the map shows (amounts above zero, largest first), and what it cannot show.
local function sorted_out(view)
  local shown, off = {}, {}
  for _, pair in ipairs(view.values) do
    local amount = value.tonumber(pair[2]) or 0
    local country = countries.get(pair[1])
    if amount > 0 and country and country.lat > SOUTH then
      shown[#shown + 1] = { pair[1], amount }
    elseif amount > 0 then
      off[#off + 1] = pair
    end
  end
  for _, pair in ipairs(view.other) do off[#off + 1] = pair end
  return shown, off
end

local function draw_foot(script, view, shown, off, range, bottom, edge)
  local unit = view.unit or "number"
  local x, y = edge, bottom + 58
  if range then
    local name = unit:gsub("^%l", string.upper)
    script:label(name .. ", logarithmic scale", edge + 12, bottom + 70,
      { size = 13, color = palette.muted })
    draw_scale(script, range, view.unit, edge + 12, bottom + 42, 420)
    x = edge + 490
  end
  local room = script.width - edge - x
  local head = #shown == 1 and "1 country: " or ("%d countries: "):format(#shown)
  script:label(range and listed(head, shown, unit, room) or "No traffic of any country", x, y,
    { size = LIST_SIZE, color = palette.text, max = room })
  if #off > 0 then
    script:label(listed("Not on the map: ", off, unit, room), x, y - 24,
      { size = LIST_SIZE, color = palette.muted, max = room })
  end
end

--- The script of a map view; chart: the module that knows the frame.
function map.script(view, opts, ending, chart)
  local script = gnuplot.script(opts.width or chart.WIDTH, opts.height or chart.HEIGHT, ending)
  local bottom, top = chart.frame(script, view, opts, chart.notes_of(view, 0))
  local shown, off = sorted_out(view)
  local range = #shown > 0 and decades(shown) or nil
  local color_of = {}
  for _, pair in ipairs(shown) do
    local share = (math.log10(pair[2]) - range.low) / (range.high - range.low)
    color_of[pair[1]] = palette.scale(share)
  end
  local edge = opts.bare and 0 or chart.EDGE
  local place = fit_into(edge, bottom + (opts.bare and 0 or FOOT), script.width - edge, top)
  draw_sea(script, place)
  local areas = draw_land(script, place, color_of, opts.bare)
  draw_dots(script, place, shown, areas, color_of)
  if opts.bare then return script end -- a page has its own scale and list
  draw_foot(script, view, shown, off, range, bottom - 10, chart.EDGE)
  return script
end

return map
