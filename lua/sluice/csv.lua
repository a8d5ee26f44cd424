-- CSV as RFC 4180 has it (but with line feeds), and TSV in the form that cut(1) and spreadsheets
-- share.
local json = require "sluice.json"
local strings = require "sluice.strings"
local value = require "sluice.value"

local csv = {}

-- A spreadsheet takes a cell that begins so for a formula, and that may run a program (CWE-1236).
-- Only cells of text are guarded, by an apostrophe: a number (-3) is no formula, and stays one.
local FORMULA = {}
for byte in ("=+-@\t\r"):gmatch "." do FORMULA[byte:byte()] = true end

local function guard(s)
  if FORMULA[s:byte(1)] and not tonumber(s) then return "'" .. s end
  return s
end

local function plain(v, column_type)
  if type(v) == "number" then return value.number(v, column_type) or "" end
  local kind = value.kind(v)
  if kind == "object" or kind == "map" or kind == "array" then return (json.encode(v)) end
  if kind == "string" then return (guard(strings.valid(value.text(v)))) end
  return (value.text(v, column_type))
end

local function quote(s)
  if strings.free_of(s, ' \t\n\v\f\r",') then return s end
  if not strings.free_of(s, '"') then s = s:gsub('"', '""') end
  return '"' .. s .. '"'
end

-- TSV has no quoting; these are the escapes that mysql and psql write.
local TSV_ESCAPES = { ["\t"] = "\\t", ["\n"] = "\\n", ["\r"] = "\\r", ["\\"] = "\\\\" }

local function escape(s)
  if strings.free_of(s, "\t\n\r\\") then return s end
  return (s:gsub("[\t\n\r\\]", TSV_ESCAPES))
end

--- A function that turns a row into a line; separator "," or "\t".
function csv.row_encoder(columns, separator)
  local dress = separator == "," and quote or escape
  local cells = {}
  return function(row)
    for i = 1, #columns do cells[i] = dress(plain(row[i], columns[i].type)) end
    return table.concat(cells, separator) .. "\n"
  end
end

--- The header line for columns.
function csv.header(columns, separator)
  local names = {}
  for i, column in ipairs(columns) do names[i] = column.name end
  return csv.row_encoder(columns, separator)(names)
end

--- Header and rows; several views are separated by an empty line and a "# title" line each.
function csv.write(views, write, separator)
  separator = separator or ","
  for i, view in ipairs(views) do
    local columns, rows = view:tabular()
    if #views > 1 then
      write((i > 1 and "\n" or "") .. "# " .. strings.visible(view.title) .. "\n")
    end
    write(csv.header(columns, separator))
    local encode = csv.row_encoder(columns, separator)
    for r = 1, #rows do write(encode(rows[r])) end
  end
end

return csv
