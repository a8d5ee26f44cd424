-- Numbers as people read them: SI prefixes, durations, times in UTC, and the ticks of axes.
-- Machine forms do not come here; they have exact numbers.
local strings = require "sluice.strings"
local value = require "sluice.value"

local units = {}

-- What stands behind a number, by unit. Counts (packets, flows…) name their unit in the column's
-- title, so nothing stands behind them but the prefix.
local SYMBOLS = {
  bytes = "B", ["bytes/s"] = "B/s", bits = "bit", ["bits/s"] = "bit/s", s = "s", Hz = "Hz",
}
local PREFIXES = {
  { 1e18, "E" }, { 1e15, "P" }, { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" },
}
local SMALL = { { 1e-3, "m" }, { 1e-6, "µ" }, { 1e-9, "n" } }

-- Three significant digits: 1.23, 12.3, 123; or more of them.
local function three_digits(n, digits)
  local size, more = math.abs(n), (digits or 3) - 3
  if size < 1e-4 or size >= 1e21 then return ("%.3g"):format(n) end
  local half = 0.05 * 10 ^ -more
  local decimals = size >= 100 - half and 0 or size >= 10 - half / 10 and 1 or 2
  return ("%." .. decimals + more .. "f"):format(n)
end

-- The prefix that leaves 1 to 999.x, after rounding to three digits.
local function prefix_for(n)
  local size = math.abs(n)
  for _, p in ipairs(PREFIXES) do
    if size >= p[1] * (p[1] > 1e3 and 0.9995 or 0.99995) then return p[1], p[2] end
  end
  return 1, ""
end

local function join(number, symbol)
  return symbol == "" and number or number .. " " .. symbol
end

--- 12345678, "bytes" -> "12.3 MB", with five digits "12.346 MB". Counts up to 99 999 stand in full.
function units.format(n, unit, digits)
  if n ~= n or math.abs(n) == math.huge then return "–" end
  if unit == "s" then return units.duration(n) end
  if unit == "%" then return ("%.1f %%"):format(n) end
  local symbol = SYMBOLS[unit] or ""
  -- A rate of next to nothing: its digits say less than that.
  if n > 0 and n < 0.01 and symbol:find("/s", 1, true) then return "< 0.01 " .. symbol end
  if symbol == "" and n % 1 == 0 and math.abs(n) < 1e5 then return ("%d"):format(n) end
  local factor, prefix = prefix_for(n)
  local whole = factor == 1 and n % 1 == 0
  return join(whole and ("%d"):format(n) or three_digits(n / factor, digits), prefix .. symbol)
end

--- text without zeros that end a fraction: "3.50 MB" -> "3.5 MB".
function units.trimmed(text)
  return (text:gsub("(%d%.%d-)0+ ", "%1 "):gsub("%. ", " "))
end

--- Seconds: "0 s", "12.3 ms", "4.56 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
function units.duration(seconds)
  local size = math.abs(seconds)
  local sign = seconds < 0 and "-" or ""
  if size == 0 then return "0 s" end
  if size < 0.9995 then
    for _, p in ipairs(SMALL) do
      if size >= p[1] * 0.9995 or p[1] == 1e-9 then
        return sign .. units.trimmed(three_digits(size / p[1]) .. " ") .. p[2] .. "s"
      end
    end
  end
  if size < 59.95 then return sign .. units.trimmed(three_digits(size) .. " s") end
  local whole = math.floor(size + 0.5)
  local function two(large, large_name, small, small_name)
    local rest = math.floor((whole % large) / small)
    local head = ("%s%.0f %s"):format(sign, math.floor(whole / large), large_name)
    return rest == 0 and head or head .. (" %d %s"):format(rest, small_name)
  end
  if whole < 3600 then return two(60, "min", 1, "s") end
  if whole < 86400 then return two(3600, "h", 60, "min") end
  return two(86400, "d", 3600, "h")
end

-- Howard Hinnant's civil_from_days: works for every year, where os.date depends on the C library.
local function civil(days)
  local z = days + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524)
    - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local day = doy - math.floor((153 * mp + 2) / 5) + 1
  local month = mp < 10 and mp + 3 or mp - 9
  return yoe + era * 400 + (month <= 2 and 1 or 0), month, day
end

--- "2024-05-01" for seconds since 1970, UTC.
function units.date(seconds)
  return ("%04.0f-%02d-%02d"):format(civil(math.floor(seconds / 86400)))
end

--- "10:15" or, with seconds, "10:15:07".
function units.clock(seconds, with_seconds)
  local s = math.floor(seconds) % 86400
  local text = ("%02d:%02d"):format(math.floor(s / 3600), math.floor(s / 60) % 60)
  return with_seconds and ("%s:%02d"):format(text, s % 60) or text
end

-- Nanoseconds as a fraction of 0, 3, 6 or 9 digits.
local function fraction(nsec)
  if nsec == 0 then return "" end
  return ("." .. ("%09d"):format(nsec)):gsub("000$", ""):gsub("000$", "")
end

--- RFC 3339 in UTC. v: struct sl_time, its text "s.nnnnnnnnn", or seconds as a number.
function units.time(v)
  local seconds, nsec
  if value.kind(v) == "time" then
    seconds, nsec = tonumber(v.s), tonumber(v.nsec)
  elseif type(v) == "string" then
    local whole, part = v:match("^(%d+)%.?(%d*)$")
    if not whole then return v end
    seconds, nsec = tonumber(whole), tonumber((part .. "000000000"):sub(1, 9))
  else
    seconds = value.tonumber(v)
    if not seconds then return "–" end
    -- A double holds today's times to about 0.2 µs: more digits would be made up.
    local micros = math.floor(seconds % 1 * 1e6 + 0.5)
    seconds = math.floor(seconds) + math.floor(micros / 1e6)
    nsec = micros % 1e6 * 1000
  end
  return units.date(seconds) .. "T" .. units.clock(seconds, true) .. fraction(nsec) .. "Z"
end

--- A cell as text for people. column: { type =, unit =, digits = } or nil.
function units.cell(v, column)
  local kind = value.kind(v)
  if kind == "null" then return "–" end
  if column and column.type == "time" then return strings.visible(units.time(v)) end
  if kind == "time" then return units.time(v) end
  if kind == "boolean" then return v and "yes" or "no" end
  local n = value.tonumber(v)
  if n and column and column.type == "duration" then return units.duration(n) end
  if n and column and column.unit then return units.format(n, column.unit, column.digits) end
  if column and column.type == "spark" then return require("sluice.blocks").spark(v) end
  if kind == "object" or kind == "map" then
    return strings.visible(require("sluice.json").encode(v))
  end
  if kind == "number" and v % 1 ~= 0 and math.abs(v) < 1e5 then return ("%.6g"):format(v) end
  return strings.visible(value.text(v))
end

-- 1, 2 or 5 times a power of ten, at least n.
local function nice_step(n)
  local power = 10 ^ math.floor(math.log10(n))
  for _, m in ipairs { 1, 2, 5, 10 } do
    if m * power >= n * 0.999999 then return m * power end
  end
end

--- Ticks from 0 to at least max: list of { position, text }, and the axis' end. Counts have whole
--- steps.
function units.ticks(max, unit, wanted)
  if unit == "s" and max > 90 then
    local steps = { 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400 }
    local step = steps[#steps]
    for i = #steps, 1, -1 do
      if steps[i] * wanted >= max then step = steps[i] end
    end
    step = math.max(step, step == 86400 and nice_step(max / wanted / 86400) * 86400 or 0)
    return units.ticks_at(step, max, unit)
  end
  local step = nice_step(math.max(max, 1e-12) / wanted)
  if unit ~= "s" and unit ~= "%" and not (unit or ""):find("/") then step = math.max(step, 1) end
  return units.ticks_at(step, max, unit)
end

function units.ticks_at(step, max, unit)
  local ticks, n = {}, math.max(1, math.ceil(max / step - 1e-9))
  for i = 0, n do ticks[i + 1] = { i * step, units.trimmed(units.format(i * step, unit)) } end
  return ticks, n * step
end

local TIME_STEPS = {
  1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1,
  0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
  86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000,
}

--- Ticks of a UTC time axis: list of { seconds, clock text, date text or nil }. The date stands at
--- the first tick and wherever it changes; whole days have only the date.
function units.time_ticks(first, last, wanted)
  local year = TIME_STEPS[#TIME_STEPS]
  local step = math.max(year, nice_step((last - first) / wanted / year) * year)
  for i = #TIME_STEPS, 1, -1 do
    if TIME_STEPS[i] * wanted >= last - first then step = TIME_STEPS[i] end
  end
  local ticks, date_before = {}, nil
  for i = math.ceil(first / step - 1e-9), math.floor(last / step + 1e-9) do
    local t = i * step
    local date = units.date(t + step * 1e-6)
    local clock
    if step < 1 then
      local digits = math.max(1, math.ceil(-math.log10(step) - 1e-9))
      local whole = math.floor(t + step * 1e-3)
      clock = units.clock(whole, true)
        .. ("%." .. digits .. "f"):format(math.max(0, t - whole)):sub(2)
    elseif step < 86400 then
      clock = units.clock(t, step < 60)
    end
    ticks[#ticks + 1] = { t, clock or date, clock and date ~= date_before and date or nil }
    date_before = date
  end
  return ticks
end

return units
