-- What is wrong with a filter, and where: the one thing that the compiler's stages throw.
--
--   problem.raise(token, message [, hint])   token: anything with from and to (byte columns)
--   problem.catch(text, fn, …)               fn's result, or nil and the problem
--
-- A problem has message, column (from 1), width, hint (or nil) and tostring(), which gives the
-- message, the filter with a caret line under the place, and the hint.

local problem = {}
local methods = {}
methods.__index = methods

-- Control bytes could move a terminal's cursor; a filter may come from a file.
local function printable(text)
  return (text:gsub("[%c]", "?"))
end

-- Columns on a terminal: bytes that continue a UTF-8 character take no room.
local function columns(text)
  return #text:gsub("[\128-\191]", "")
end

function methods:tostring()
  local before = self.text:sub(1, self.column - 1)
  local marked = self.text:sub(self.column, self.column + self.width - 1)
  local caret = "^" .. ("~"):rep(columns(marked) - 1)
  local lines = { printable(self.message), "    " .. printable(self.text),
    "    " .. (" "):rep(columns(before)) .. caret }
  if self.hint then
    lines[#lines + 1] = printable(self.hint)
  end
  return table.concat(lines, "\n")
end
methods.__tostring = methods.tostring

function problem.raise(at, message, hint)
  error(setmetatable({ message = message, hint = hint, from = at.from, to = at.to }, methods), 0)
end

local function finish(text, found, ...)
  if found then
    return ...
  end
  local err = ...
  if getmetatable(err) ~= methods then
    error(err, 0) -- a fault of the compiler itself: the caller must see it
  end
  err.text, err.column = text, math.max(1, math.min(err.from or 1, #text + 1))
  err.width = math.max(1, math.min(err.to or err.column, #text) - err.column + 1)
  return nil, err
end

function problem.catch(text, fn, ...)
  return finish(text, pcall(fn, ...))
end

return problem
