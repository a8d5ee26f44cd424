-- Text and points in time in a filter.
--
-- text: values { expr =, const = }, Lua strings that exist already (never made for a packet).
-- time: values { s = expression, ns = expression, const = } since 1970-01-01 UTC, compared
-- as integers, because a double holds no nanoseconds of today.

local cond = require "sluice.filter.cond"
local problem = require "sluice.filter.problem"

local text, time = { title = "a text" }, { title = "a point in time" }

function text.literal(node, field)
  if node.kind ~= "string" then
    problem.raise(node, ("%s is a text; %s is not"):format(field.name, node.text),
      node.near or ('Texts stand in quotes: "%s".'):format(node.text))
  end
  return { expr = ("%q"):format(node.value):gsub("\n", "n"):gsub("%z", "\\0"):gsub("\r", "\\r"),
    const = node.value }
end

function text.eq(a, b)
  return cond.test(("(%s == %s)"):format(a.expr, b.expr))
end

function text.lt(a, b)
  return cond.test(("(%s < %s)"):format(a.expr, b.expr))
end

function text.length(v)
  return "#" .. v.expr
end

function text.contains(v, const)
  return cond.test(("(find(%s, %s, 1, true) ~= nil)"):format(v.expr,
    text.literal({ kind = "string", value = const }).expr))
end

function text.matches(v, regex, objects)
  return cond.test(("(%s.sl_regex_match(%s, %s, #%s) == 1)"):format(objects:core(), regex, v.expr,
    v.expr))
end

-- Days from 1970-01-01 to a date of the Gregorian calendar (years count from March).
local function days(y, m, d)
  if m <= 2 then
    y = y - 1
  end
  local month = (m + 9) % 12
  local leaps = math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400)
  return 365 * y + leaps + math.floor((153 * month + 2) / 5) + d - 1 - 719468
end

local function month_days(y, m)
  local leap = y % 4 == 0 and (y % 100 ~= 0 or y % 400 == 0)
  return m == 2 and (leap and 29 or 28) or (m == 4 or m == 6 or m == 9 or m == 11) and 30 or 31
end

local function nanoseconds(fraction)
  return tonumber((fraction .. "000000000"):sub(1, 9))
end

-- "2024-05-31 12:00:00.5", also with T, without seconds or time, with Z or +02:00; UTC if neither.
local function date(value)
  local y, m, d, rest = value:match("^(%d%d%d%d)-(%d%d)-(%d%d)(.*)$")
  y, m, d = tonumber(y), tonumber(m), tonumber(d)
  if not y or m < 1 or m > 12 or d < 1 or d > month_days(y, m) then
    return nil
  end
  local h, min, sec, fraction = 0, 0, 0, ""
  local hour, minute, tail = rest:match("^[ T](%d%d):(%d%d)(.*)$")
  if hour then
    h, min, rest = tonumber(hour), tonumber(minute), tail
    local second, after = rest:match("^:(%d%d)(.*)$")
    if second then
      sec, rest = tonumber(second), after
      fraction, rest = rest:match("^%.(%d+)(.*)$")
      fraction, rest = fraction or "", rest or after
    end
  end
  local sign, zone_h, zone_m = rest:match("^([+-])(%d%d):?(%d%d)$")
  local zone = sign and (zone_h * 60 + zone_m) * (sign == "+" and 60 or -60) or 0
  if h > 23 or min > 59 or sec > 60 or not (sign or rest == "" or rest == "Z" or rest == "UTC") then
    return nil
  end
  return days(y, m, d) * 86400 + h * 3600 + min * 60 + sec - zone, nanoseconds(fraction)
end

function time.literal(node, field)
  local value = node.kind ~= "char" and node.value or ""
  local whole, fraction = value:match("^(%d+)%.?(%d*)$")
  local s, ns
  if whole and #whole <= 15 then
    s, ns = tonumber(whole), nanoseconds(fraction)
  else
    s, ns = date(value)
  end
  if not s then
    problem.raise(node, ("%s is a point in time; %s is not"):format(field.name, node.text),
      node.near or 'Times: seconds since 1970 (1700000000.5), or "2024-05-31 12:00:00" in UTC.')
  end
  return { s = ("%.0f"):format(s), ns = ("%d"):format(ns), const = true }
end

function time.eq(a, b)
  return cond.test(("(%s == %s and %s == %s)"):format(a.s, b.s, a.ns, b.ns))
end

function time.lt(a, b)
  return cond.test(("(%s < %s or %s == %s and %s < %s)"):format(a.s, b.s, a.s, b.s, a.ns, b.ns))
end

return { text = text, time = time }
