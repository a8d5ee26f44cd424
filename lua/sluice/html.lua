-- Views as one HTML file that needs nothing else: style, script, table library and data stand in
-- it, charts as SVG. A content security policy forbids every request and every script but these.
local html_chart = require "sluice.html_chart"
local html_data = require "sluice.html_data"
local sha256 = require "sluice.sha256"
local strings = require "sluice.strings"
local suite = require "sluice.suite"
local units = require "sluice.units"
local value = require "sluice.value"

local html = {}

local folder = package.searchpath("sluice.html", package.path):match "^(.*)html%.lua$"
-- The parts of the page's script are parts of one function, in this order.
local SCRIPTS = { "format", "filter", "table", "chart", "map", "scatter", "heatmap", "page" }
local LIBRARY = folder .. "../data/datatables.min.js"

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;",
  ["'"] = "&#39;" }

--- Text as it may stand between tags and in quoted attributes.
function html.escape(text)
  return (strings.visible(strings.valid(tostring(text))):gsub("[&<>\"']", ESCAPES))
end

local escape = html.escape

local function read(path)
  local file, why = io.open(path, "rb")
  if not file then error(("cannot read %s: reinstall sluice"):format(why), 0) end
  local text = file:read "*a"
  file:close()
  return text
end

local function own_script()
  local parts = { "(function () {\n\"use strict\";\n" }
  for _, name in ipairs(SCRIPTS) do parts[#parts + 1] = read(folder .. "page/" .. name .. ".js") end
  parts[#parts + 1] = "}());\n"
  return table.concat(parts)
end

local HEAD = [==[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';
 script-src 'sha256-%s' 'sha256-%s'; style-src 'unsafe-inline';
 img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="sluice %s">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>%s</title>
<style>
%s</style>
</head>
]==]

local function slug(title)
  local id = strings.slug(title, "-")
  return id == "" and "section" or id
end

-- ---- records ----

local function is_object(v)
  local kind = value.kind(v)
  return kind == "object" or kind == "map"
end

-- "12 packets", "3.4 kB", or where the name is not the unit "bytes low 3.1 kB".
local function amount(field)
  local name = field[1]
  if field.unit and name ~= field.unit then
    return ("%s %s"):format(name:gsub("_", " "), units.cell(field[2], field))
  end
  local shown = units.format(value.tonumber(field[2]) or 0, name == "bytes" and "bytes" or nil,
    field.digits)
  return name == "bytes" and shown or ("%s %s"):format(shown, name)
end

-- "tcp: 12 packets, 3.4 kB" lines of an object of objects, or "tcp 12" of an object of numbers.
local function object_cell(v)
  local lines = {}
  for _, field in ipairs(v) do
    local text
    if is_object(field[2]) then
      local parts = {}
      for i, inner in ipairs(field[2]) do parts[i] = amount(inner) end
      text = table.concat(parts, ", ")
    else
      text = units.cell(field[2], field)
    end
    lines[#lines + 1] = ("<li><b>%s</b> %s</li>"):format(escape(field[1]), escape(text))
  end
  return #lines > 0 and "<ul class=\"inline\">" .. table.concat(lines) .. "</ul>" or "–"
end

local function field_cell(field)
  local name, v = field[1], field[2]
  if is_object(v) then return object_cell(v) end
  if value.kind(v) == "array" then return escape(value.text(v)) end
  local column = field
  if not field.unit and not field.type and (name == "bytes" or name:find "_bytes$") then
    column = { unit = "bytes" }
  end
  local shown, n = units.cell(v, column), value.tonumber(v)
  if column.unit and n and math.abs(n) >= 1000 then
    return ("%s <small>%s</small>"):format(escape(shown), escape(value.text(v)))
  end
  return escape(shown)
end

local function title_of(name)
  return (tostring(name):gsub("_", " "):gsub("^%l", string.upper))
end

-- Fields that no tile tells. Bytes stay: a tile rounds them.
local function untold(view)
  local told, list = {}, {}
  for _, tile in ipairs(view.tiles or {}) do told[tile[1]] = tile[1] ~= "bytes" end
  for _, field in ipairs(view.fields) do
    if not told[field[1]] then list[#list + 1] = field end
  end
  return list
end

local function record_body(view)
  local out = {}
  if view.tiles then
    out[1] = '<div class="tiles">'
    for _, field in ipairs(view.tiles) do
      out[#out + 1] = ('<div class="tile"><span>%s</span><strong>%s</strong></div>'):format(
        escape(title_of(field[1])), escape(units.cell(field[2], field)))
    end
    out[#out + 1] = "</div>"
  end
  out[#out + 1] = '<dl class="record">'
  for _, field in ipairs(untold(view)) do
    local wide = is_object(field[2]) and ' class="wide"' or ""
    out[#out + 1] = ("<div%s><dt>%s</dt><dd>%s</dd></div>"):format(wide,
      escape(title_of(field[1])), field_cell(field))
  end
  out[#out + 1] = "</dl>"
  return table.concat(out)
end

-- ---- cards ----

local function notes_of(view)
  local out = {}
  for i, note in ipairs(view.notes) do out[i] = "<p class=\"note\">" .. escape(note) .. "</p>" end
  return table.concat(out)
end

local function body_of(view, chart)
  if chart then
    return ('<figure class="figure %s">%s<figcaption class="hidden">%s</figcaption></figure>')
      :format(view.kind, chart.svg, escape(view.title))
  end
  if html_chart.is_empty(view) then return '<p class="empty">None.</p>' end
  if view.kind == "record" then return record_body(view) end
  if view.kind == "text" then
    local lines = {}
    for i, line in ipairs(view.lines) do lines[i] = escape(line) end
    return "<pre>" .. table.concat(lines, "\n") .. "</pre>"
  end
  return '<div class="table"></div>'
end

local function card(view, chart)
  local half = html_chart.is_half(view)
  return ('<article class="card %s%s" data-view="%s"><header><h3>%s</h3><div class="tools"></div>'
    .. '</header>%s%s</article>\n'):format(escape(view.kind), half and " half" or "",
    escape(view.name), escape(view.title), body_of(view, chart), notes_of(view))
end

local function section_of(section, charts)
  local id = slug(section.title)
  local out = { ('<section id="%s" aria-labelledby="h-%s"><h2 id="h-%s">%s</h2>\n'
    .. '<div class="cards">'):format(id, id, id, escape(section.title)) }
  for _, view in ipairs(section.views) do out[#out + 1] = card(view, charts[view]) end
  if #section.views == 0 then out[#out + 1] = '<p class="note">Nothing to show.</p>' end
  out[#out + 1] = "</div></section>\n"
  return table.concat(out)
end

local function navigation(sections)
  local out = { '<nav aria-label="Sections"><ul>' }
  for _, section in ipairs(sections) do
    out[#out + 1] = ('<li><a href="#%s">%s</a></li>'):format(slug(section.title),
      escape(section.title))
  end
  out[#out + 1] = "</ul></nav>"
  return table.concat(out)
end

local function about_section(about)
  local out = { '<section id="provenance" aria-labelledby="h-provenance">'
    .. '<h2 id="h-provenance">Provenance</h2>\n<article class="card record"><dl class="record">' }
  for _, field in ipairs(about) do
    local lines = {}
    for i, line in ipairs(type(field[2]) == "table" and field[2] or { field[2] }) do
      lines[i] = "<code>" .. escape(line) .. "</code>"
    end
    out[#out + 1] = ("<div><dt>%s</dt><dd>%s</dd></div>"):format(escape(field[1]),
      table.concat(lines, "<br>"))
  end
  out[#out + 1] = "</dl></article></section>\n"
  return table.concat(out)
end

local BODY = [==[
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><div class="brand">%s<p>%s</p></div>
<div class="actions"><button type="button" id="theme" aria-pressed="false">Dark</button></div>
%s</header>
<main id="main">
<noscript><p class="note">Tables and interaction need the script of this page.</p></noscript>
<div id="filters" class="filters" hidden></div>
%s</main>
<div id="tip" role="status" aria-live="polite" hidden></div>
<script type="application/json" id="data">%s</script>
<script>%s</script>
<script>%s</script>
</body>
</html>
]==]

--- Writes the page of all views through write(string). page: plan (sluice.suite), version, title,
--- subtitle, about (rows of the section Provenance), path, top. Returns true, or nil and why not.
function html.write(views, write, page)
  local charts, drawing = html_chart.start(views, page.path, page.top)
  if not charts then return nil, drawing end
  local data = html_data.encode(views, charts)
  local sections, library, script = suite.arranged(page.plan, views), read(LIBRARY), own_script()
  local head = HEAD:format(sha256.base64(library), sha256.base64(script), escape(page.version),
    escape(page.title), read(folder .. "page/page.css"))
  local ok, why = drawing:finish()
  if not ok then return nil, why end
  write(head)
  local out = {}
  for i, section in ipairs(sections) do out[i] = section_of(section, charts) end
  out[#out + 1] = about_section(page.about)
  sections[#sections + 1] = { title = "Provenance" }
  local heading = "<h1>" .. escape(page.title) .. "</h1>"
  local body = { heading, escape(page.subtitle), navigation(sections), table.concat(out),
    data, library, script }
  local i = 0
  write((BODY:gsub("%%s", function()
    i = i + 1
    return body[i]
  end)))
  return true
end

return html
