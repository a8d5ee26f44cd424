-- Where results go: views in the form asked for, or rows of flows by the million, on standard
-- output or into a file.
local ffi = require "ffi"
local C = require("sluice.abi").C
local late = require "sluice.late"
local clock = late "sluice.clock"
local csv = require "sluice.csv"
local database = late "sluice.database"
local fields = require "sluice.fields"
local geo = require "sluice.geo"
local json = require "sluice.json"
local palette = require "sluice.palette"
local recipe = require "sluice.recipe"
local render = require "sluice.render"
local services = require "sluice.services"
local strings = require "sluice.strings"
local view = require "sluice.view"

local output = {}

local FORMS = { text = true, json = true, jsonl = true, csv = true, tsv = true,
  fields = true, zeek = true }
local ROW_FORMS = { json = C.SL_ROWS_JSON, jsonl = C.SL_ROWS_JSONL, csv = C.SL_ROWS_CSV,
  tsv = C.SL_ROWS_TSV, zeek = C.SL_ROWS_ZEEK, sqlite = true }

local ALL = 2 ^ 31 -- more rows than any table has
local PAGE_TOP = 10 -- bars of a chart in a page, the same
local TEXT_TOP = 20 -- rows of a view in text form, when nothing else is asked

local Out = {}
Out.__index = Out

local function form_of(o)
  if o.file then
    if not render.knows(o.file) then
      recipe.fail("-o %s: the ending must be .html .png .svg .pdf .txt .csv .tsv .json .jsonl or "
        .. ".sqlite", o.file)
    end
    local ending = o.file:lower():match "%.(%a+)$"
    return ending == "db" and "sqlite" or ending
  end
  local form = o.form or "text"
  if form == "html" then recipe.fail "-T html: a page is a file: -o report.html" end
  if not FORMS[form] then
    recipe.fail("-T %s: the forms are text, json, jsonl, csv, tsv, fields and zeek", form)
  end
  return form
end

-- A run that fails leaves no file behind.
local function discard(handle)
  C.sl_out_close(handle, 0, ffi.new "struct sl_error")
end

local function open_handle(path)
  local err = ffi.new "struct sl_error"
  local handle = C.sl_out_open(path, err)
  if handle == nil then error({ code = err.code, message = ffi.string(err.message) }, 0) end
  return ffi.gc(handle, discard)
end

--- Opens what the options ask for (-T, -o). handle is standard output, or the file if it holds
--- text. plan: what runs (sluice.suite).
function output.open(o, plan)
  local form = form_of(o)
  local width, height
  if o.size then
    width, height = o.size:match "^(%d+)x(%d+)$"
    width, height = tonumber(width), tonumber(height)
    if not width or width < 200 or height < 150 or width > 10000 or height > 10000 then
      recipe.fail("--size %s: give WIDTHxHEIGHT in pixels, from 200x150 to 10000x10000", o.size)
    end
  end
  if o.theme and not palette.use(o.theme) then
    recipe.fail("--theme %s: light or dark", o.theme)
  end
  local picture = form == "png" or form == "svg" or form == "pdf"
  if form == "txt" then form = "text" end
  local self = setmetatable({ form = form, file = o.file, picture = picture, top = o.top,
    width = width, height = height, views = view.new(), plan = plan, options = o,
    field_spec = fields.wanted(o), time_form = o.time_form }, Out)
  if form == "sqlite" then self.database = database.open(o.file) end
  self.handle = open_handle(not picture and not self.database and o.file or nil)
  return self
end

-- What recipes ask of the output in start, where nothing shall come out: of a worker (crew.lua).
local Mute = {}
Mute.__index = Mute

--- An output of the form that the options ask for, into which nothing can be written.
function output.mute(o, plan)
  return setmetatable({ form = form_of(o), file = o.file, top = o.top, plan = plan, options = o },
    Mute)
end

function Mute:rows()
  return ROW_FORMS[self.form] and not self.plan.is_suite and {} or nil
end

function Mute.stream()
  return {}
end

function Mute.fields()
  return nil
end

function Mute.clock()
  return tostring
end

--- Whether the result is for reading, not for a program.
function Out:is_text()
  return self.form == "text"
end

--- Whether views are for a page, or for programs that read what a page holds: bounded, but with all
--- columns.
function Out:is_page()
  return self.form == "html" or self.plan.is_suite and ROW_FORMS[self.form] ~= nil
end

--- Whether what is counted goes into pieces, or comes out of them (sluice merge): then it must do
--- for every form, since a piece does not know which one it will have.
function Out:of_pieces()
  return self.options.partial ~= nil or self.options.merges == true
end

--- How many rows of many to show: n to people, in text and pictures; all to programs.
function Out:cut(n)
  return ROW_FORMS[self.form] and not self.plan.is_suite and ALL or n
end

--- What -e asks of a recipe that lists packets: see sluice.fields; nil: nothing.
function Out:fields()
  return fields.writer(self)
end

--- A function from a packet to its time as -t wants it.
function Out:clock()
  self.shows_times = true
  return clock.new(self.time_form or "r")
end

--- After the recipes have started: options that none of them took up are mistakes.
function Out:check()
  if self.field_spec and not self.shows_fields then
    recipe.fail "-e: the recipe lists no packets; sluice packets does"
  end
  if self.time_form and not self.shows_times then
    recipe.fail "-t: the recipe lists no packets; sluice packets does"
  end
end

--- A writer of flow rows in the form asked for, or nil when that form is text or a picture. For a
--- recipe whose result is flows as they are decided: rows:add(flows, n), rows:done().
function Out:rows()
  local form = ROW_FORMS[self.form]
  if self.plan.is_suite then return nil end
  if self.options.partial then self.streamed = true end -- a program's form would want all of them
  if not form then return nil end
  if self.database then return self.database:flows() end
  local rows = C.sl_rows_new(self.handle, geo.handle(), services.handle(), form)
  rows = ffi.gc(rows, C.sl_rows_free)
  local before = self.options.rows_before
  if before then C.sl_rows_continue(rows, before) else C.sl_rows_begin(rows) end
  self.flow_rows = rows
  self.streamed, self.gives_rows = true, true
  return {
    add = function(_, flows, n) C.sl_rows_flows(rows, flows, n) end,
    done = function() C.sl_rows_end(rows) end,
  }
end

function Out:write(text)
  C.sl_out_write(self.handle, text, #text)
end

--- Refuses a form that only rows of flows have, where something else is shown, too.
function Out:only_rows(recipes)
  if self.form == "zeek" and not (self.gives_rows and recipes == 1) then
    recipe.fail "-T zeek is conn.log: flows alone has that form"
  end
end

--- How many rows a writer of Out:rows has written.
function Out:rows_written()
  return self.flow_rows and tonumber(C.sl_rows_count(self.flow_rows)) or 0
end

--- Writes a line of text at once; for recipes that list packets. Bytes from a capture cannot drive
--- the terminal: what would be unseen appears as \xNN.
function Out:line(text)
  if C.sl_text_is_plain(text, #text) == 0 then text = strings.visible(text) end
  self:write(text)
  self:write "\n"
  self.streamed = true
end

--- A writer of rows that go out at once, for results that are too long to hold: stream:row { … },
--- stream:done(). columns as in out:table. Not for pictures.
function Out:stream(columns)
  self:only_rows()
  if self.picture then recipe.fail("-o %s: a list of packets has no picture", self.file) end
  columns = view.columns(columns)
  self.streamed = true
  if self.database then
    local add = self.database:table(self.plan.named[1].name, columns)
    return { row = function(_, row) add(row) end, done = function() end }
  end
  if self.form == "json" or self.form == "jsonl" then return self:json_stream(columns) end
  local separator = self.form == "tsv" and "\t" or ","
  local encode = csv.row_encoder(columns, separator)
  self:write(csv.header(columns, separator))
  return {
    row = function(_, row) self:write(encode(row)) end,
    done = function() end,
  }
end

function Out:json_stream(columns)
  local encode = json.row_encoder(columns)
  if self.form == "jsonl" then
    return {
      row = function(_, row)
        self:write(encode(row))
        self:write "\n"
      end,
      done = function() end,
    }
  end
  local before = "[\n "
  return {
    row = function(_, row)
      self:write(before)
      self:write(encode(row))
      before = ",\n "
    end,
    done = function() self:write(before == "[\n " and "[]\n" or "\n]\n") end,
  }
end

-- On a terminal a view of an interval takes the place of the one before. Returns a function that
-- begins a view, and one that is told what is written of it. Elsewhere both do nothing.
function Out:in_place()
  local height = self.form == "text" and not self.file and C.sl_out_lines(self.handle) or 0
  local lines
  local function begin()
    if lines and lines < height then
      self:write(("\r\27[%dA\27[J"):format(lines)) -- up, and clear to the end (ECMA-48)
    elseif lines then
      self:write "\27[H\27[2J"
    end
    lines = 0
  end
  local function count(text) lines = lines + select(2, text:gsub("\n", "")) end
  if height == 0 then begin, count = function() end, function() end end
  return begin, count
end

--- Views that are shown while the capture is read: of interval(t, out). As text, or an object a
--- line; a picture or a JSON document is whole only at the end.
function Out:live()
  local live = {}
  local begin, count = self:in_place()
  function live.open() return view.new() end
  function live.show(_, views)
    if #views.views == 0 then return end
    if self.form ~= "text" and self.form ~= "jsonl" then
      recipe.fail "views of an interval are text or -T jsonl: other forms are whole only at the end"
    end
    begin()
    render.write(views.views, self.form, function(s)
      count(s)
      self:write(s)
    end, self:text_options())
    C.sl_out_flush(self.handle)
    self.streamed = true
  end
  return live
end

-- The line under a picture's title: what was read.
local function subtitle_of(info)
  local units = require "sluice.units"
  local s = info.stats
  local names = #info.inputs .. " inputs"
  if #info.inputs == 1 then names = info.inputs[1]:match "([^/?]*)[^/]*$" end
  return ("%s: %s%s packets, %s"):format(names, info.sample and "a sample of " or "",
    units.format(tonumber(s.packets), "packets"), units.format(tonumber(s.bytes), "bytes"))
end

-- A page's heading: what was read, and when.
local function page_of(self, info, path)
  local provenance = require "sluice.provenance"
  local units = require "sluice.units"
  local s = info.stats
  local what = "Capture report"
  if #self.plan.named == 1 and not self.plan.is_suite then what = self.plan.sections[1].title end
  if self.plan.named[1].sides then what = "Comparison" end
  local name = #info.inputs == 1 and info.inputs[1]:match "([^/?]*)[^/]*$"
    or #info.inputs .. " inputs"
  if self.plan.named[1].sides then
    name = ("%s and %s"):format(info.inputs[1]:match "([^/?]*)[^/]*$",
      info.inputs[2]:match "([^/?]*)[^/]*$")
  end
  local span = self.plan.named[1].sides and "before and after"
    or tonumber(s.timed) > 0 and ("%s to %s"):format(units.time(s.first):sub(1, 19) .. "Z",
    units.time(s.last):sub(1, 19) .. "Z") or "no time stamps"
  if info.sample then span = span .. ", a sample of it" end
  return { plan = self.plan, version = self.options.version, title = what .. ": " .. name,
    subtitle = span, about = provenance.rows(self.options, self.plan, info), path = path,
    top = self.top or PAGE_TOP }
end

function Out:write_page(info)
  local page = page_of(self, info, self.file)
  local html = require "sluice.html"
  local ok, why = html.write(self.views.views, function(s) self:write(s) end, page)
  if not ok then return 2, ("-o %s: %s"):format(self.file, why) end
  return 0
end

-- How much of a view people see.
function Out:text_options()
  local opts = { top = self.top or (self:is_text() and TEXT_TOP) or nil }
  if not self.file then
    local columns = C.sl_out_columns(self.handle)
    opts.width = tonumber(os.getenv "COLUMNS") or (columns > 0 and columns) or nil
    opts.color = columns > 0 and (os.getenv "NO_COLOR" or "") == "" -- no-color.org
  end
  return opts
end

function Out:fill_database(info)
  local provenance = require "sluice.provenance"
  self.database:views(self.views.views)
  local add = self.database:table("about", { { name = "name" }, { name = "value" } })
  for _, row in ipairs(provenance.rows(self.options, self.plan, info)) do
    local lines = type(row[2]) == "table" and row[2] or { row[2] }
    for _, line in ipairs(lines) do add { row[1], line } end
  end
  return self.database:close()
end

function Out:write_views(info)
  if self.database then return self:fill_database(info) end
  if self.form == "html" then return self:write_page(info) end
  if self.picture then
    local files, why = render.file(self.views.views, self.file, { top = self.top,
      width = self.width, height = self.height, subtitle = subtitle_of(info) })
    if not files then return 2, why end
    return 0
  end
  if #self.views.views == 0 and info.silent then return 0 end -- only -w was asked for
  if not self.streamed or #self.views.views > 0 then
    render.write(self.views.views, self.form, function(s) self:write(s) end, self:text_options())
  end
  return 0
end

--- Renders what the recipes have shown and closes the output. The run's own status and message
--- come first, unless the result could not be written.
function Out:finish(info, status, message)
  local code, why = self:write_views(info)
  local err = ffi.new "struct sl_error"
  C.sl_out_flush(self.handle) -- a failure is told by sl_out_close
  local quiet = C.sl_out_closed(self.handle) == 1
  local keep = self.form == "html" and code ~= 0 and 0 or 1 -- half a page is no page
  if C.sl_out_close(ffi.gc(self.handle, nil), keep, err) < 0 and code == 0 then
    code, why = err.code, ffi.string(err.message)
  end
  if quiet then return status, message end
  if code ~= 0 then return code, why end
  return status, message
end

Mute.is_text, Mute.is_page, Mute.cut, Mute.of_pieces = Out.is_text, Out.is_page, Out.cut,
  Out.of_pieces

return output
