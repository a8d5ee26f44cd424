-- JSON with the order of keys that we choose, which lua-cjson does not keep; it does the strings.
local cjson = require "cjson"
local strings = require "sluice.strings"
local value = require "sluice.value"

local json = {}

local ESCAPED = strings.range(1, 31) .. '"\\\127'

local function string_of(s)
  s = strings.valid(s)
  if strings.free_of(s, ESCAPED) then return '"' .. s .. '"' end
  -- cjson writes every "/" as "\/", so a bare one never follows a backslash: this undoes just that.
  return (cjson.encode(s):gsub("\\/", "/"))
end

local encode -- emits one value

local function object(emit, pairs_of, indent, column_type)
  if #pairs_of == 0 then return emit("{}") end
  local inner = indent and indent .. "  "
  emit("{")
  for i = 1, #pairs_of do
    if i > 1 then emit(",") end
    if inner then emit("\n" .. inner) end
    emit(string_of(tostring(pairs_of[i][1])))
    emit(inner and ": " or ":")
    encode(emit, pairs_of[i][2], inner, pairs_of[i].type or column_type)
  end
  if indent then emit("\n" .. indent) end
  emit("}")
end

local function array(emit, items, column_type)
  emit("[")
  for i = 1, #items do
    if i > 1 then emit(",") end
    encode(emit, items[i], nil, column_type)
  end
  emit("]")
end

local function sorted_pairs(map)
  local out = {}
  for k, v in pairs(map) do out[#out + 1] = { tostring(k), v } end
  table.sort(out, function(a, b) return a[1] < b[1] end)
  return out
end

-- Text of what is no list and no object; nil for these. No tail calls (value.lua).
local function scalar(v, column_type)
  local t = type(v) -- the cells of long streams first
  if t == "string" then return (string_of(v)) end
  if t == "number" then return value.number(v, column_type) or "null" end
  local kind = value.kind(v)
  if kind == "null" then return "null" end
  if kind == "boolean" then return v and "true" or "false" end
  if kind == "integer" then return (value.integer(v)) end
  if kind == "time" then return '"' .. value.time(v) .. '"' end
  if kind == "string" then return (string_of(value.text(v))) end
end

function encode(emit, v, indent, column_type)
  local text = scalar(v, column_type)
  if text then return emit(text) end
  local kind = value.kind(v)
  if kind == "object" then return object(emit, v, indent, column_type) end
  if kind == "map" then return object(emit, sorted_pairs(v), indent, column_type) end
  return array(emit, v, column_type)
end

--- One value as a string; kinds as in value.lua.
function json.encode(v, column_type)
  local parts = {}
  encode(function(s) parts[#parts + 1] = s end, v, nil, column_type)
  return table.concat(parts)
end

local function cell(v, column_type)
  return scalar(v, column_type) or (json.encode(v, column_type))
end

--- A function that turns a row into its object's text, keys in the order of columns: made once and
--- called for each row, because streams of millions of packets go through it.
function json.row_encoder(columns)
  local parts = {}
  for i, column in ipairs(columns) do
    parts[2 * i - 1] = (i == 1 and "{" or ",") .. string_of(column.name) .. ":"
    parts[2 * i] = ""
  end
  parts[2 * #columns + 1] = #columns == 0 and "{}" or "}"
  return function(row)
    for i = 1, #columns do parts[2 * i] = cell(row[i], columns[i].type) end
    return table.concat(parts)
  end
end

local function write_rows(view, write, indent)
  local columns, rows = view:tabular()
  local encode_row = json.row_encoder(columns)
  if #rows == 0 then return write("[]") end
  write("[\n")
  for i = 1, #rows do
    write(indent .. "  " .. encode_row(rows[i]) .. (i < #rows and ",\n" or "\n"))
  end
  write(indent .. "]")
end

local function write_view(view, write, indent)
  if view.kind == "record" then return object(write, view.fields) end
  write_rows(view, write, indent)
end

--- A view in its natural form: a record is an object, all else a list of row objects; several
--- views are an object keyed by their names.
function json.write(views, write)
  if #views == 1 then
    write_view(views[1], write, "")
    return write("\n")
  end
  write("{")
  for i, view in ipairs(views) do
    write((i > 1 and "," or "") .. "\n  " .. string_of(view.name) .. ": ")
    write_view(view, write, "  ")
  end
  write(#views > 0 and "\n}\n" or "}\n")
end

--- One object a line, view after view.
function json.write_lines(views, write)
  for _, view in ipairs(views) do
    local columns, rows = view:tabular()
    local encode_row = json.row_encoder(columns)
    for i = 1, #rows do write(encode_row(rows[i]) .. "\n") end
  end
end

return json
