-- Results as an SQLite database (-o FILE.sqlite): flows as the flow table decides them, lists of
-- packets as they come, every view as a table of its own, and what was run as the table "about".
-- Numbers are numbers; times are exact text "seconds.nanoseconds", as in JSON.
local ffi = require "ffi"
local C = require("sluice.abi").C
local geo = require "sluice.geo"
local json = require "sluice.json"
local services = require "sluice.services"
local strings = require "sluice.strings"
local value = require "sluice.value"

local database = {}

local Database = {}
Database.__index = Database

-- A run that fails leaves no file behind.
local function discard(handle)
  C.sl_db_close(handle, 0, ffi.new "struct sl_error")
end

--- Raises the core's error where path cannot be written.
function database.open(path)
  local err = ffi.new "struct sl_error"
  local handle = C.sl_db_open(path, err)
  if handle == nil then error({ code = err.code, message = ffi.string(err.message) }, 0) end
  return setmetatable({ handle = ffi.gc(handle, discard), names = {} }, Database)
end

-- SQLite knows no difference between a and A.
local function unique(names, name)
  local free, n = name, 1
  while names[free:lower()] do
    n = n + 1
    free = name .. "_" .. n
  end
  names[free:lower()] = true
  return free
end

local TYPES = { string = C.SL_DB_TEXT, address = C.SL_DB_TEXT, time = C.SL_DB_TEXT,
  duration = C.SL_DB_REAL }

local function bind(handle, i, v, column_type)
  local kind = value.kind(v)
  if kind == "null" then return end
  if kind == "boolean" then
    C.sl_db_integer(handle, i, v and 1 or 0)
  elseif kind == "number" and column_type ~= "time" then
    if v ~= v or math.abs(v) == math.huge then return end
    if v % 1 == 0 and math.abs(v) < 2 ^ 53 then
      C.sl_db_integer(handle, i, v)
    else
      C.sl_db_real(handle, i, v)
    end
  elseif kind == "integer" and v < 2 ^ 63 then
    C.sl_db_integer(handle, i, v)
  else
    local is_list = kind == "object" or kind == "map" or kind == "array"
    local text = is_list and json.encode(v) or strings.valid(value.text(v, column_type))
    C.sl_db_text(handle, i, text, #text)
  end
end

-- Rows for a full disk are not read on for.
local function told(handle, result)
  if result == 0 then return end
  local err = C.sl_db_error(handle)
  error({ code = err.code, message = ffi.string(err.message) }, 0)
end

--- Begins a table; returns a function that takes a row.
function Database:table(name, columns)
  local list, taken = ffi.new("struct sl_db_column[?]", #columns), {}
  local kept = {} -- the names that the list borrows
  for i, column in ipairs(columns) do
    kept[i] = unique(taken, strings.valid(column.name))
    list[i - 1].name, list[i - 1].type = kept[i], TYPES[column.type] or C.SL_DB_ANY
  end
  local handle = self.handle
  told(handle, C.sl_db_table(handle, unique(self.names, name), list, #columns))
  return function(row)
    for i = 1, #columns do bind(handle, i, row[i], columns[i].type) end
    told(handle, C.sl_db_row(handle))
  end
end

--- As Out:rows: a table of flows.
function Database:flows()
  local handle = self.handle
  told(handle, C.sl_db_flow_table(handle, unique(self.names, "flows"), geo.handle(),
    services.handle()))
  return {
    add = function(_, flows, n) told(handle, C.sl_db_flows(handle, flows, n)) end,
    done = function() end,
  }
end

--- A table a view.
function Database:views(views)
  for _, view in ipairs(views) do
    local columns, rows = view:tabular()
    local add = self:table(view.name, columns)
    for i = 1, #rows do add(rows[i]) end
  end
end

--- Puts it into its place. Returns a status and why, 0 if it went well.
function Database:close()
  local err = ffi.new "struct sl_error"
  if C.sl_db_close(ffi.gc(self.handle, nil), 1, err) == 0 then return 0 end
  return err.code, ffi.string(err.message)
end

return database
