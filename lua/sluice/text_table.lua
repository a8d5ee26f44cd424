-- A table for people at a terminal, aligned, and as wide as the terminal at most where that can be.
-- What does not fit gives way in this order:
--   1. times lose their fractions of a second;
--   2. columns that a view calls spare are left out, from the right, and named below;
--   3. other text is shortened, the longest first, to no less than NARROWEST columns.
-- Addresses and numbers are whole always (of "192.0.2.1, and 7 more" the first part): lines that
-- are too long even so are left to the terminal.
local strings = require "sluice.strings"
local units = require "sluice.units"
local value = require "sluice.value"

local text_table = {}

local NARROWEST = 8 -- columns that a cell of text keeps
local GAP = "  "

-- Numbers stand at the right: by the column's type, else where all of its values are numbers.
local function is_number_column(column, index, rows, n)
  if column.unit or column.type then
    return column.unit ~= nil or column.type == "number" or column.type == "duration"
  end
  local some = false
  for r = 1, n do
    local kind = value.kind(rows[r][index])
    if kind ~= "number" and kind ~= "integer" and kind ~= "null" then return false end
    some = some or kind ~= "null"
  end
  return some
end

-- How many bytes at the begin of a text are an address: 192.0.2.1, [2001:db8::1]:443, 10.0.0.0/8,
-- 02:00:5e:10:00:01.
local function address_at_front(text)
  local front = text:match "^%d+%.%d+%.%d+%.%d+[:/%d]*" or text:match "^%[?%x*:[%x:.]*%]?[:/%d]*"
  if not front then return 0 end
  local colons = select(2, front:gsub(":", ""))
  local some = front:find(".", 1, true) or front:find("::", 1, true) or colons >= 5
  return some and #front or 0
end

-- What is left of a shortened cell shows its address whole, and that it was shortened.
local function least_of(cell)
  local front = address_at_front(cell)
  return front + (front > 0 and front < #cell and 1 or 0)
end

-- What a column of the table is: its cells as text, and how they may give way.
local function column_of(column, index, rows, n)
  local c = { title = strings.visible(column.title), spare = column.spare, cells = {},
    is_time = column.type == "time", least = NARROWEST,
    whole = column.type == "address" or is_number_column(column, index, rows, n) }
  c.right = column.type ~= "address" and c.whole
  for r = 1, n do
    c.cells[r] = units.cell(rows[r][index], column)
    c.is_time = c.is_time or value.kind(rows[r][index]) == "time"
    c.least = math.max(c.least, least_of(c.cells[r]))
  end
  c.whole = c.whole or c.is_time
  return c
end

local function measure(c)
  c.width = strings.width(c.title)
  for _, cell in ipairs(c.cells) do c.width = math.max(c.width, strings.width(cell)) end
end

-- How many columns of the terminal are wanted beyond those that there are.
local function excess(list, width)
  local total = -#GAP
  for _, c in ipairs(list) do total = total + c.width + #GAP end
  return total - width
end

local function cut_times(list)
  for _, c in ipairs(list) do
    for r, cell in ipairs(c.is_time and c.cells or {}) do
      c.cells[r] = cell:gsub("%.%d+(Z?)$", "%1")
    end
    measure(c)
  end
end

local function leave_out(list, width)
  local names = {}
  for i = #list, 1, -1 do
    if excess(list, width) <= 0 then break end
    if list[i].spare then table.insert(names, 1, table.remove(list, i).title) end
  end
  return names
end

local function shorten(list, width)
  for _ = 1, excess(list, width) do
    local widest
    for _, c in ipairs(list) do
      if not c.whole and c.width > c.least and (not widest or c.width > widest.width) then
        widest = c
      end
    end
    if not widest then return end
    widest.width = widest.width - 1
  end
end

local function fit(list, width)
  if excess(list, width) > 0 then cut_times(list) end
  local names = leave_out(list, width)
  shorten(list, width)
  return names
end

local function line_of(list, text)
  local out = {}
  for i, c in ipairs(list) do
    out[i] = strings.pad(strings.fit(text(c), c.width), c.width, c.right)
  end
  return (table.concat(out, GAP):gsub("%s+$", "")) .. "\n"
end

--- Writes the first n rows. width: columns of the terminal, or nil: as wide as it gets.
function text_table.write(columns, rows, n, write, width)
  local list, names = {}, {}
  for i, column in ipairs(columns) do
    list[i] = column_of(column, i, rows, n)
    measure(list[i])
  end
  if width then names = fit(list, width) end
  write(line_of(list, function(c) return c.title end))
  write(line_of(list, function(c) return ("─"):rep(c.width) end))
  for r = 1, n do write(line_of(list, function(c) return c.cells[r] end)) end
  if #names > 0 then
    write(("(a wider terminal shows %s too)\n"):format(table.concat(names, ", ")))
  end
end

return text_table
