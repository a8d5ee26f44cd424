-- Pictures through gnuplot, a child process fed by a pipe.
--
-- A script here has two parts. Commands hold only what this code wrote: words and numbers. All text
-- (titles, labels, names from a capture) stands in the data block $T, one line each behind a "|",
-- so that none can end the block, and commands refer to it by number: t(3). Backquotes, quotes,
-- percent signs and braces therefore reach the picture as they are.
local ffi = require "ffi"
local palette = require "sluice.palette"
local strings = require "sluice.strings"
local C = require("sluice.abi").C

local gnuplot = {}

local FONT = "DejaVu Sans"

-- Font sizes are given in CSS pixels (1/96 inch), as lengths are; cairo takes points.
local TERMINALS = {
  png = function(w, h)
    return ("pngcairo noenhanced size %d,%d font '%s,9' fontscale 1 background rgb '#%06x'")
      :format(w, h, FONT, palette.background)
  end,
  svg = function(w, h)
    return ("svg noenhanced size %d,%d font '%s,12' background rgb '#%06x'")
      :format(w, h, FONT, palette.background)
  end,
  pdf = function(w, h)
    -- fontscale 0.75: a point is a point (measured; at 1 it is 4/3 of one)
    return ("pdfcairo noenhanced size %.4fin,%.4fin font '%s,9' fontscale 0.75 "
      .. "background rgb '#%06x' linewidth 1.5"):format(w / 96, h / 96, FONT, palette.background)
  end,
}

--- Whether file names a picture that can be drawn: its ending, or nil.
function gnuplot.ending(file)
  local ending = file:lower():match("%.(%a+)$")
  return TERMINALS[ending] and ending or nil
end

-- Advance widths of DejaVu Sans, printable ASCII, in hundredths of the font size.
local WIDTHS = {
  32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
  64, 64, 34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79,
  60, 79, 69, 63, 61, 73, 68, 99, 69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63,
  63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84,
}

--- Pixels that text takes at a font size; bold is a tenth wider.
function gnuplot.text_width(text, size, bold)
  local total, i = 0, 1
  while i <= #text do
    local code, after = strings.decode(text, i)
    total = total + (code and (WIDTHS[code - 31] or code < 0x2e80 and 70) or 100)
    i = after
  end
  return total / 100 * size * (bold and 1.15 or 1.03) -- hinting widens it a little
end

--- text cut to at most pixels.
function gnuplot.fit(text, pixels, size, bold)
  local n = strings.width(text)
  while n > 1 and gnuplot.text_width(text, size, bold) > pixels do
    n = n - 1
    text = strings.fit(text, n)
  end
  return text
end

-- What DejaVu Sans has, in coarse blocks. For any other character cairo would draw a box of its
-- hexadecimal number, which gnuplot's scaling blows up over the whole picture (5.4, tried).
local COVERED = {
  0x20, 0x7e, 0xa0, 0x2e9, 0x300, 0x34f, 0x386, 0x386, 0x388, 0x38a, 0x38c, 0x38c, 0x38e, 0x3a1,
  0x3a3, 0x525, 0x531, 0x556, 0x561, 0x587, 0x5d0, 0x5ea, 0x621, 0x63a, 0x640, 0x655,
  0x10d0, 0x10fc, 0x1e00, 0x1efb, 0x2010, 0x2027, 0x2030, 0x205e, 0x20a0, 0x20b5,
  0x2190, 0x2311, 0x2500, 0x269c, 0xfffd, 0xfffd,
}

local function drawable(text, ending)
  text = strings.visible(text)
  if ending == "svg" then return text end -- the viewer chooses a font
  return strings.only(text, COVERED)
end

local Script = {}
Script.__index = Script

--- A script for a picture of width x height pixels.
function gnuplot.script(width, height, ending)
  return setmetatable({ width = width, height = height, ending = ending, commands = {},
    blocks = {}, texts = {}, elements = {}, parts = {}, marks = {} }, Script)
end

--- Adds a command line. It must hold no text from outside; see text().
function Script:command(format, ...)
  self.commands[#self.commands + 1] = select("#", ...) > 0 and format:format(...) or format
end

--- Puts text aside and returns the expression that stands for it in commands.
function Script:text(text)
  self.texts[#self.texts + 1] = "|" .. drawable(text, self.ending)
  return ("t(%d)"):format(#self.texts)
end

--- Puts lines of numbers aside as a data block and returns its name.
function Script:block(lines)
  local name = ("$B%d"):format(#self.blocks + 1)
  self.blocks[#self.blocks + 1] = name .. " << B_END\n" .. table.concat(lines, "\n") .. "\nB_END\n"
  return name
end

--- Adds an element to the picture's one plot command.
function Script:plot(format, ...)
  self.elements[#self.elements + 1] = ", \\\n     " .. format:format(...)
  self.parts[#self.elements] = self.current_part
end

--- What is drawn from here on belongs to a part that a page can color or hide: "s1" for the first
--- series, "DE" for a country; nil: to none.
function Script:part(name)
  self.current_part = name
end

--- Says what stands in a rectangle (lower left corner and size): text for who points at it, and
--- what a click on it means: role and key, as in sluice.view. Only pages use it.
function Script:mark(x, y, width, height, text, role, key)
  self.marks[#self.marks + 1] = { x = x, y = self.height - y - height, width = width,
    height = height, text = text, role = role, key = key }
end

-- Shapes as a data block: gnuplot ends one at an empty line.
local function block_of(script, list)
  local lines = {}
  for _, points in ipairs(list) do
    for i = 1, #points, 2 do lines[#lines + 1] = ("%.1f %.1f"):format(points[i], points[i + 1]) end
    lines[#lines + 1] = ""
  end
  return script:block(lines)
end

--- Fills polygons of one color; each is a list x, y, x, y… in pixels from the lower left corner.
function Script:polygons(list, color)
  self:plot("%s using 1:2 with filledcurves closed fc rgb '#%06x' fs solid 1 noborder notitle",
    block_of(self, list), color)
end

--- Draws lines, each through a list of points x, y, x, y…
function Script:polylines(list, color, width)
  self:plot("%s using 1:2 with lines lc rgb '#%06x' lw %.2f notitle", block_of(self, list), color,
    width)
end

--- A straight line behind everything that is plotted: grids and axes.
function Script:rule(x1, y1, x2, y2, color)
  self:command("set arrow from %.2f, %.2f to %.2f, %.2f nohead back lw 1 lc rgb '#%06x'",
    x1, y1, x2, y2, color)
end

-- gnuplot's font size for pixels, by terminal: see TERMINALS.
function Script:font(size, bold)
  local points = self.ending == "svg" and size or size * 0.75
  return ("font '%s%s,%.2f'"):format(FONT, bold and ":Bold" or "", points)
end

--- Writes text at x, y pixels from the lower left corner; style: size, bold, color (0xRRGGBB),
--- align ("left", "center", "right"), max (pixels; the text is cut to it).
function Script:label(text, x, y, style)
  local size = style.size or 13
  text = drawable(text, self.ending)
  if style.max then text = gnuplot.fit(text, style.max, size, style.bold) end
  -- The vertical middle of a line of text stands at y.
  self:command("set label %s at %.2f, %.2f %s %s tc rgb '#%06x' noenhanced front",
    self:text(text), x, y, style.align or "left",
    self:font(size, style.bold), style.color or 0x333333)
end

--- Fills a rectangle given by its lower left corner and size.
function Script:rectangle(x, y, width, height, color)
  self:polygons({ { x, y, x + width, y, x + width, y + height, x, y + height } }, color)
end

-- One unit is one pixel and nothing is drawn that we do not ask for: charts place every mark by
-- themselves, because gnuplot knows neither SI prefixes for bytes nor UTC axes with sparse dates.
local CANVAS = [[
unset key; unset colorbox; unset border; unset xtics; unset ytics
set lmargin at screen 0; set rmargin at screen 1; set bmargin at screen 0; set tmargin at screen 1
set xrange [0:%d]; set yrange [0:%d]
]]

--- The whole as gnuplot reads it.
function Script:source()
  local texts = #self.texts > 0 and table.concat(self.texts, "\n") or "|"
  return table.concat {
    "set encoding utf8\n",
    "set terminal ", TERMINALS[self.ending](self.width, self.height), "\n",
    "$T << T_END\n", texts, "\nT_END\n",
    "t(i) = substr($T[i], 2, strlen($T[i]))\n",
    table.concat(self.blocks),
    CANVAS:format(self.width, self.height),
    table.concat(self.commands, "\n"), "\n",
    -- Something must be plotted for labels to show; a point outside the picture is not seen.
    "plot '+' using (-9):(-9) every ::0::0 with dots notitle", table.concat(self.elements), "\n",
  }
end

local function error_of(text)
  return ffi.string(text)
end

local MISSING = "gnuplot is not installed: apt-get install gnuplot-nox"

-- Starts gnuplot with out as its standard output; nil and why not. "-d": a user's gnuplotrc must
-- not change pictures; nor must the time zone, in which cairo writes a PDF's date. Through cat:
-- gnuplot itself reads its standard input with a system call for each byte: a world map took twice
-- as long.
local function start(source, out)
  local argv = ffi.new("const char *[5]", "gnuplot", "-d", "-e", "load '< cat'")
  local child = C.sl_child_start(argv, "TZ=UTC0", out)
  if child == nil then return nil, "out of memory" end
  child = ffi.gc(child, C.sl_child_free)
  if C.sl_child_missing(child) ~= 0 then return nil, MISSING end
  if C.sl_child_error(child) ~= nil then return nil, error_of(C.sl_child_error(child)) end
  C.sl_child_write(child, source, #source) -- finish tells where that failed
  return child
end

-- Waits for its end. true, or nil and why not.
local function finish(child)
  local why = C.sl_child_finish(child) ~= 0 and error_of(C.sl_child_error(child)) or nil
  C.sl_child_free(ffi.gc(child, nil))
  return not why or nil, why
end

local function run(source, out)
  local child, why = start(source, out)
  if not child then return nil, why end
  return finish(child)
end

local function read_all(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local content = file:read("*a")
  file:close()
  return content
end

local function write_all(path, content)
  local file, why = io.open(path, "wb")
  if not file then return nil, why end
  local ok
  ok, why = file:write(content)
  local closed, why_not = file:close()
  return ok and closed, why or why_not
end

local XML = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

-- The same input gives the same file, but pdfcairo writes the time of day into each. The date's
-- length stays, for the cross-reference table counts bytes.
local function finish_pdf(content)
  return (content:gsub("/CreationDate %(D:%d+", function(date)
    local digits = #date - #"/CreationDate (D:"
    return "/CreationDate (D:" .. ("19700101000000000000"):sub(1, digits)
  end))
end

-- A viewer shows <title> as the picture's name; machines without DejaVu get a font of like widths.
local function finish_svg(content, title)
  title = strings.visible(title):gsub('[&<>"]', XML)
  content = content:gsub("<title>.-</title>", function()
    return "<title>" .. title .. "</title>"
  end, 1)
  content = content:gsub("<title>gnuplot_plot_%d+</title>", "") -- shown beside the pointer
  -- gnuplot leaves ">" as it is, but XML does not allow "]]>" in text.
  content = content:gsub("(<text>)(.-)(</text>)", function(open, text, close)
    return open .. text:gsub(">", "&gt;") .. close
  end)
  -- A hundredth of a pixel cannot be seen; a world of them weighs.
  for _, attribute in ipairs { "points = '[^']*'", " d='[^']*'" } do
    content = content:gsub(attribute, function(list) return (list:gsub("(%.%d)%d", "%1")) end)
  end
  -- crispEdges, which gnuplot asks for all areas, turns coasts and curves into stairs.
  content = content:gsub(" shape%-rendering='crispEdges'", "")
  return (content:gsub('font%-family="' .. FONT .. '(:?B?o?l?d?)"', function(bold)
    local weight = bold ~= "" and '" font-weight="bold"' or '"'
    return 'font-family="' .. FONT .. ", Verdana, sans-serif" .. weight
  end))
end

local FINISH = { pdf = finish_pdf, svg = finish_svg }

local function edit(path, ending, title)
  local content, why = read_all(path)
  if not content then return nil, why end
  if #content == 0 then return nil, "gnuplot drew nothing" end
  if not FINISH[ending] then return true end
  return write_all(path, FINISH[ending](content, title))
end

--- Draws script into file, which appears whole or not at all. true, or nil and why not.
function gnuplot.draw(script, file, title)
  local out = C.sl_outfile_open(file)
  if out == nil then return nil, "out of memory" end
  out = ffi.gc(out, C.sl_outfile_free)
  local ok, why = C.sl_outfile_error(out) == nil, nil
  if ok then ok, why = run(script:source(), out) end
  if ok then ok, why = edit(ffi.string(C.sl_outfile_temp(out)), script.ending, title) end
  if ok then ok = C.sl_outfile_commit(out) == 0 end
  if not ok and C.sl_outfile_error(out) ~= nil then why = error_of(C.sl_outfile_error(out)) end
  C.sl_outfile_free(ffi.gc(out, nil))
  return ok or nil, why
end

local Drawing = {}
Drawing.__index = Drawing

--- The SVGs of gnuplot.start's scripts: a list of texts, or nil and why not.
function Drawing:finish()
  if self.n == 0 then return {} end
  local ok, why = finish(self.child)
  if not ok then return nil, why end
  local content
  content, why = read_all(ffi.string(C.sl_outfile_temp(self.out)))
  C.sl_outfile_free(ffi.gc(self.out, nil))
  if not content then return nil, why end
  local list = {}
  for svg in content:gmatch "<svg.->.-</svg>" do list[#list + 1] = svg end
  if #list ~= self.n then return nil, "gnuplot drew less than it was told" end
  return list
end

--- Begins to draw many scripts as SVG with one gnuplot, which works while the caller does other
--- things: what has finish(), or nil and why not. path: a file beside which a temporary one may
--- stand.
function gnuplot.start(scripts, path)
  local self = setmetatable({ n = #scripts }, Drawing)
  if self.n == 0 then return self end
  local out = C.sl_outfile_open(path)
  if out == nil then return nil, "out of memory" end
  self.out = ffi.gc(out, C.sl_outfile_free)
  if C.sl_outfile_error(out) ~= nil then return nil, error_of(C.sl_outfile_error(out)) end
  local sources = {}
  for i, script in ipairs(scripts) do sources[i] = script:source() .. "set output\nreset\n" end
  local child, why = start(table.concat(sources), self.out)
  if not child then return nil, why end
  self.child = child
  return self
end

--- Draws a view. opts: file (.png, .svg or .pdf), width and height (pixels; without them 1400 and
--- 700, and bars as high as their number needs), top (rows), subtitle (one line, such as the
--- input's name and span). Returns true, or nil and why not.
function gnuplot.render(view, opts)
  local ending = gnuplot.ending(opts.file)
  if not ending then return nil, opts.file .. ": a picture ends in .png, .svg or .pdf" end
  local script, why = require("sluice.chart").script(view, opts, ending)
  if not script then return nil, why end
  return gnuplot.draw(script, opts.file, view.title)
end

return gnuplot
