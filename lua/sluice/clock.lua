-- Time columns of a list of packets, in tshark's forms (-t):
--
--   r   since the first packet            a   time of day           ad  date and time
--   d   since the packet before           u   time of day, UTC      ud  date and time, UTC
--   dd  since the packet shown before     e   seconds since 1970
--
-- a and ad are local times ($TZ). Microseconds, until a stamp has nanoseconds: then nine digits.
local recipe = require "sluice.recipe"
local show = require "sluice.filter.show"
local units = require "sluice.units"

local clock = {}

local tonumber = tonumber

-- "%.6f" or "%.9f" of seconds.
local function seconds(t, digits)
  return digits == 9 and ("%.9f"):format(t) or ("%.6f"):format(t)
end

local function fraction(ts, digits)
  local ns = tonumber(ts.nsec)
  if digits == 9 then return (".%09d"):format(ns) end
  return (".%06d"):format(math.floor(ns / 1000))
end

-- Local time of s: os.date knows the zone's rules, and is asked once for an hour of capture time.
local function local_offset()
  local hour, offset
  return function(s)
    local now = math.floor(s / 3600)
    if now ~= hour then
      hour = now
      local here = os.date("*t", s)
      here.isdst = false
      local utc = os.date("!*t", s)
      utc.isdst = false
      offset = os.difftime(os.time(here), os.time(utc))
    end
    return s + offset
  end
end

local function utc(s) return s end

local function time_of_day(shift)
  return function(p, digits)
    return units.clock(shift(tonumber(p.ts.s)), true) .. fraction(p.ts, digits)
  end
end

local function date_and_time(shift)
  return function(p, digits)
    local s = shift(tonumber(p.ts.s))
    return units.date(s) .. " " .. units.clock(s, true) .. fraction(p.ts, digits)
  end
end

local FORMS = {
  r = function() return function(p, digits) return seconds(p.t, digits) end end,
  d = function() return function(p, digits) return seconds(p.delta, digits) end end,
  dd = function()
    local before
    return function(p, digits)
      local delta = before and p.t - before or 0
      before = p.t
      return seconds(delta, digits)
    end
  end,
  e = function()
    return function(p, digits)
      local text = show.epoch(p.ts.s, p.ts.nsec)
      return digits == 9 and text or text:sub(1, -4)
    end
  end,
  a = function() return time_of_day(local_offset()) end,
  ad = function() return date_and_time(local_offset()) end,
  u = function() return time_of_day(utc) end,
  ud = function() return date_and_time(utc) end,
}

--- A function from a packet to the text of its time.
function clock.new(form)
  local make = FORMS[form]
  if not make then recipe.fail("-t %s: the forms are r, a, ad, d, dd, e, u and ud", form) end
  local text, digits = make(), 6
  return function(p)
    if p.ts.nsec % 1000 ~= 0 then digits = 9 end
    return text(p, digits)
  end
end

return clock
