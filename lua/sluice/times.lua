-- Points in time as people write them for --from and --to.
local ffi = require "ffi"
local C = require("sluice.abi").C

local times = {}

local UNITS = { ms = 1e-3, s = 1, m = 60, h = 3600, d = 86400 }

-- Days from 1970-01-01 to a date of the Gregorian calendar.
local function days_to(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  local leap = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return 365 * year + leap + math.floor((153 * (month - 3) + 2) / 5) + day - 1 - 719468
end

local function days_in(year, month)
  local next_year, next_month = year, month + 1
  if next_month > 12 then next_year, next_month = year + 1, 1 end
  return days_to(next_year, next_month, 1) - days_to(year, month, 1)
end

-- ".25" and "" as nanoseconds; digits beyond them are cut off.
local function nanoseconds(fraction)
  return tonumber((fraction:sub(2) .. "000000000"):sub(1, 9))
end

local function when(kind, seconds, nsec)
  local w = ffi.new "struct sl_when"
  w.kind, w.t.s, w.t.nsec = kind, seconds, nsec
  return w
end

-- Seconds east of Greenwich; nil: not a zone. None at all is UTC, so that the same command gives
-- the same result everywhere.
local function zone_of(text)
  if text == "" or text == "Z" or text == "z" then return 0 end
  local sign, hours, minutes = text:match "^([+-])(%d%d):?(%d%d)$"
  if not sign or tonumber(hours) > 23 or tonumber(minutes) > 59 then return nil end
  return (sign == "-" and -1 or 1) * (hours * 3600 + minutes * 60)
end

-- The clock part of an ISO 8601 time as seconds of the day, fraction, and zone; nil: not one.
local function clock_of(text)
  if text == "" then return 0, "", 0 end
  local hours, minutes, rest = text:match "^[Tt ](%d%d):(%d%d)(.*)$"
  if not hours then return nil end
  local seconds, behind = rest:match "^:(%d%d)(.*)$"
  local fraction, zone = (behind or rest):match "^(%.?%d*)(.*)$"
  if fraction == "." or (fraction ~= "" and not seconds) then return nil end
  local east = zone_of(zone)
  if not east or tonumber(hours) > 23 or tonumber(minutes) > 59 then return nil end
  if tonumber(seconds or 0) > 60 then return nil end -- a leap second is the next minute's first
  return hours * 3600 + minutes * 60 + (seconds or 0), fraction, east
end

local function iso(text)
  local year, month, day, rest = text:match "^(%d%d%d%d)-(%d%d)-(%d%d)(.*)$"
  if not year then return nil end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if month < 1 or month > 12 or day < 1 or day > days_in(year, month) then return nil end
  local seconds, fraction, east = clock_of(rest)
  if not seconds then return nil end
  return when(C.SL_WHEN_TIME, days_to(year, month, day) * 86400 + seconds - east,
    nanoseconds(fraction))
end

local function epoch(text)
  local seconds, fraction = text:match "^(%d+)(%.?%d*)$"
  if not seconds or #seconds > 15 or fraction == "." then return nil end
  return when(C.SL_WHEN_TIME, tonumber(seconds), nanoseconds(fraction))
end

local function offset(text)
  local number, unit = text:match "^%+(%d+%.?%d*)(%a*)$"
  local factor = UNITS[unit == "" and "s" or unit]
  if not number or not factor or #number > 18 or number:sub(-1) == "." then return nil end
  local whole, fraction = number:match "^(%d+)(%.?%d*)$"
  if factor == 1 then return when(C.SL_WHEN_OFFSET, tonumber(whole), nanoseconds(fraction)) end
  local seconds = tonumber(number) * factor
  local nsec = math.floor((seconds % 1) * 1e9 + 0.5)
  if nsec == 1e9 then seconds, nsec = seconds + 1, 0 end
  return when(C.SL_WHEN_OFFSET, math.floor(seconds), nsec)
end

--- struct sl_when of "2026-11-24T06:30:00.5+01:00", "1764000000.25" or "+90s"; nil: none of them.
function times.parse(text)
  return iso(text) or epoch(text) or offset(text)
end

--- Whether two of the same kind are in order; true where they cannot be compared.
function times.in_order(from, to)
  if from.kind ~= to.kind then return true end
  return from.t.s < to.t.s or (from.t.s == to.t.s and from.t.nsec < to.t.nsec)
end

return times
