-- Filter text to tokens: { kind, text, value, from, to }.
--
-- kind: word (field names and unquoted literals: 80, 10.0.0.0/8, 00:11:22), string (value: its
-- bytes), char (value: its number), slice (value: the text between the brackets), op (value: the
-- operator, English names already turned into signs), one of ( ) { } , .. and end.

local problem = require "sluice.filter.problem"

local WORD_OPS = {
  ["and"] = "&&", ["or"] = "||", ["not"] = "!", eq = "==", any_eq = "==", all_eq = "===",
  ne = "!=", all_ne = "!=", any_ne = "!==", gt = ">", ge = ">=", lt = "<", le = "<=",
  bitwise_and = "&", contains = "contains", matches = "matches", ["in"] = "in", any = "any",
  all = "all",
}
local SIGNS = {
  "===", "!==", "==", "!=", "~=", "&&", "||", ">=", "<=", ">", "<", "!", "&", "~", "+", "-", "*",
  "/", "%", "#",
}
local SIGN_OPS = { ["~="] = "!==", ["~"] = "matches" }
local ESCAPES = {
  a = "\a", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", v = "\v", ["\\"] = "\\",
  ['"'] = '"', ["'"] = "'",
}
local TEXT_MAX = 65536

-- One character or escape of a quoted literal at `at`: its bytes and the place after it.
local function unescape(text, at)
  local c = text:sub(at, at)
  if c ~= "\\" then
    return c, at + 1
  end
  local hex = text:match("^x(%x%x?)", at + 1)
  if hex then
    return string.char(tonumber(hex, 16)), at + 2 + #hex
  end
  local octal = text:match("^[0-3]?[0-7]?[0-7]", at + 1)
  if octal and octal ~= "" then
    return string.char(tonumber(octal, 8)), at + 1 + #octal
  end
  local name = text:sub(at + 1, at + 1)
  if not ESCAPES[name] then
    problem.raise({ from = at, to = at + 1 }, ("\\%s is no escape sequence"):format(name),
      'In r"…" a backslash is an ordinary character; in "…" write \\\\ for one.')
  end
  return ESCAPES[name], at + 2
end

local function quoted(text, from, at, raw)
  local parts = {}
  while text:sub(at, at) ~= '"' do
    if at > #text then
      problem.raise({ from = from, to = #text }, "this string has no closing quote")
    end
    if raw then
      parts[#parts + 1], at = text:match("^(\\?.)()", at)
    else
      parts[#parts + 1], at = unescape(text, at)
    end
  end
  return { kind = "string", value = table.concat(parts), from = from, to = at }
end

local function character(text, from)
  local value, at = unescape(text, from + 1)
  if value == "" or text:sub(from + 1, from + 1) == "'" or text:sub(at, at) ~= "'" then
    problem.raise({ from = from, to = math.min(at, #text) },
      "single quotes hold one character", 'Strings stand in double quotes.')
  end
  return { kind = "char", value = value:byte(), from = from, to = at }
end

-- Where the word that begins at `from` ends. Bytes may be joined with '-' (00-11-22), a date holds
-- '-' too, an address takes its prefix length along, and '..' ends a word (a range).
local function word_end(text, from)
  local date = text:match("^%d%d%d%d%-%d%d%-%d%d[%dT:.]*Z?()", from)
  local joined = text:match("^%x%x%-%x%x[%-%x]*()", from)
  if date or joined and not text:match("^[%w_]", joined) then
    return (date or joined) - 1
  end
  local to = text:match("^[%w_.:]+()", from) - 1
  local range = text:find("..", from, true)
  if range and range <= to then
    to = range - 1
  end
  local word = text:sub(from, to)
  if word:find(":", 1, true) or word:find("^%d[%d]*%.[%d.]+$") then
    local prefix = text:match("^/[%d.]+()", to + 1)
    return prefix and prefix - 1 or to
  end
  if word:find("^%d[%d.]*[eE]$") then
    local exponent = text:match("^[+-]%d+()", to + 1)
    return exponent and exponent - 1 or to
  end
  return to
end

local function sign(text, from)
  for _, s in ipairs(SIGNS) do
    if text:sub(from, from + #s - 1) == s then
      return { kind = "op", value = SIGN_OPS[s] or s, from = from, to = from + #s - 1 }
    end
  end
  local c = text:match("^[%z\1-\127\194-\244][\128-\191]*", from) or text:sub(from, from)
  local hints = { ["="] = "Equality is ==.", ["|"] = "Or is ||.", ["^"] = "There is no xor.",
    ["["] = "This bracket has no end." }
  problem.raise({ from = from, to = from + #c - 1 }, ('"%s" is not part of a filter'):format(c),
    hints[c])
end

local function next_token(text, at)
  local c = text:sub(at, at)
  if text:find('^r"', at) then
    return quoted(text, at, at + 2, true)
  elseif c == '"' then
    return quoted(text, at, at + 1, false)
  elseif c == "'" then
    return character(text, at)
  elseif text:find("^%.%.", at) then
    return { kind = "..", from = at, to = at + 1 }
  elseif text:find("^[%w_.:]", at) then
    local to = word_end(text, at)
    local word = text:sub(at, to)
    local op = WORD_OPS[word]
    return { kind = op and "op" or "word", value = op or word, from = at, to = to }
  elseif c:find("^[(){},]") then
    return { kind = c, from = at, to = at }
  end
  local inside, to = text:match("^%[([^%[%]]*)%]()", at)
  if inside then
    return { kind = "slice", value = inside, from = at, to = to - 1 }
  end
  return sign(text, at)
end

local function tokens(text)
  if #text > TEXT_MAX then
    problem.raise({ from = 1, to = 1 }, ("a filter has at most %d bytes"):format(TEXT_MAX))
  end
  local list, at = {}, text:match("^%s*()")
  while at <= #text do
    local token = next_token(text, at)
    token.text = text:sub(token.from, token.to)
    list[#list + 1] = token
    at = text:match("^%s*()", token.to + 1)
  end
  list[#list + 1] = { kind = "end", text = "end of the filter", from = #text + 1, to = #text + 1 }
  return list
end

return { tokens = tokens }
