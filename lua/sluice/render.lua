-- From views to what was asked for: -T on standard output, -o into a file.
local ffi = require "ffi"
local C = require("sluice.abi").C

local render = {}

local FORMS = {
  text = function(views, write, opts) require("sluice.text").write(views, write, opts) end,
  json = function(views, write) require("sluice.json").write(views, write) end,
  jsonl = function(views, write) require("sluice.json").write_lines(views, write) end,
  csv = function(views, write) require("sluice.csv").write(views, write, ",") end,
  tsv = function(views, write) require("sluice.csv").write(views, write, "\t") end,
}

--- Writes views in a form ("text", "json", "jsonl", "csv" or "tsv") through write(string).
--- opts: width, top, color; see text.write(). Raises an error for another form.
function render.write(views, form, write, opts)
  local writer = FORMS[form]
  if not writer then
    error(("no form %s: text, json, jsonl, csv or tsv"):format(tostring(form)), 2)
  end
  writer(views, write, opts or {})
end

local ENDINGS = { txt = "text", json = "json", jsonl = "jsonl", csv = "csv", tsv = "tsv" }
local DATABASES = { sqlite = true, db = true } -- which sluice.output fills itself
local PICTURES = { png = true, svg = true, pdf = true }

local function ending_of(path)
  return (path:lower():match("%.(%a+)$")) or ""
end

--- Whether path ends in something that can be written.
function render.knows(path)
  local ending = ending_of(path)
  return ENDINGS[ending] ~= nil or PICTURES[ending] ~= nil or DATABASES[ending] ~= nil
    or ending == "html"
end

local function buffered(out)
  local parts, size, ok = {}, 0, true
  local function flush()
    local data = table.concat(parts)
    ok = ok and C.sl_outfile_write(out, data, #data) == 0
    parts, size = {}, 0
  end
  return function(s)
    parts[#parts + 1], size = s, size + #s
    if size > 65536 then flush() end
  end, function()
    flush()
    return ok
  end
end

local function write_file(views, form, path, opts)
  local out = C.sl_outfile_open(path)
  if out == nil then return nil, "out of memory" end
  out = ffi.gc(out, C.sl_outfile_free)
  local why
  if C.sl_outfile_error(out) == nil then
    local write, finish = buffered(out)
    render.write(views, form, write, opts)
    if finish() then C.sl_outfile_commit(out) end
  end
  if C.sl_outfile_error(out) ~= nil then why = ffi.string(C.sl_outfile_error(out)) end
  C.sl_outfile_free(ffi.gc(out, nil))
  return not why or nil, why
end

-- plot.png, plot-talkers.png, plot-ports.png
local function picture_path(path, view, n)
  if n == 1 then return path end
  return (path:gsub("%.(%a+)$", "-" .. view.name:gsub("_", "-") .. ".%1"))
end

local function draw_all(views, path, opts)
  local gnuplot, chart = require "sluice.gnuplot", require "sluice.chart"
  local files = {}
  for _, view in ipairs(views) do
    if chart.fits(view) then
      local file = picture_path(path, view, #files + 1)
      local options = setmetatable({ file = file }, { __index = opts })
      local ok, why = gnuplot.render(view, options)
      if not ok then return nil, why, files end
      files[#files + 1] = file
    end
  end
  if #files > 0 then return files end
  local why = "no view of this recipe has a chart"
  for _, view in ipairs(views) do
    if view.kind == "table" then
      why = why .. ' (chart = "COLUMN" in out:table names what to draw)'
      break
    end
  end
  return nil, ("%s: %s: use -T, or -o with .txt, .csv or .json"):format(path, why)
end

--- Writes views to path in the form its ending names. A picture holds one view: the first that has
--- a chart goes to path itself, every other to path with "-" and its name before the ending.
--- opts: width, height, top, subtitle (pictures: pixels; text: columns). Returns the list of files
--- written, or nil, why not, and the files that were written before.
function render.file(views, path, opts)
  opts = opts or {}
  local ending = ending_of(path)
  if PICTURES[ending] then return draw_all(views, path, opts) end
  if not ENDINGS[ending] then
    return nil, path .. ": unknown ending: .txt .json .jsonl .csv .tsv .png .svg or .pdf", {}
  end
  local ok, why = write_file(views, ENDINGS[ending], path, opts)
  if not ok then return nil, why, {} end
  return { path }
end

return render
