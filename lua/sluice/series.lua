-- A lines view as numbers over time, for charts of any kind: what its rows mean between each other.
local value = require "sluice.value"

local series = {}

-- The time that one row covers: what the view says, else the least step between rows, else 1 s.
local function interval_of(view, times)
  if view.interval and view.interval > 0 then return view.interval end
  local least
  for i = 2, #times do
    local step = times[i] - times[i - 1]
    if step > 0 and (not least or step < least) then least = step end
  end
  return least or 1
end

local function time_of(v)
  local n = value.tonumber(v)
  return n or (type(v) == "string" and tonumber(v)) or nil
end

--- { times =, values = { { v, … } for each series }, columns =, interval =, first =, last = }.
--- Minor columns and rows without a time are left out; an amount that is none counts as 0, as an
--- empty bin does.
function series.new(view)
  local s = { times = {}, values = {}, columns = {},
    relative = view.columns[1].type == "duration" }
  local from = {}
  for c = 2, #view.columns do
    if not view.columns[c].minor then
      local n = #from + 1
      s.columns[n], s.values[n], from[n] = view.columns[c], {}, c
    end
  end
  for _, row in ipairs(view.rows) do
    local t = time_of(row[1])
    if t then
      local n = #s.times + 1
      s.times[n] = t
      for c = 1, #s.columns do s.values[c][n] = value.tonumber(row[from[c]]) or 0 end
    end
  end
  s.interval = interval_of(view, s.times)
  s.first = s.times[1] or 0
  s.last = s.times[#s.times] and s.times[#s.times] + s.interval or 0
  return s
end

--- The largest of each of n equal slices of time: { { v, … }, … } by series. A peak is never lost.
function series.slices(s, n)
  local out, span = {}, s.last - s.first
  for c = 1, #s.columns do
    local slices = {}
    for k = 1, n do slices[k] = 0 end
    for i, t in ipairs(s.times) do
      local from = math.floor((t - s.first) / span * n + 1e-9) + 1
      local to = math.ceil((t + s.interval - s.first) / span * n - 1e-9)
      for k = math.max(1, from), math.min(n, math.max(from, to)) do
        slices[k] = math.max(slices[k], s.values[c][i])
      end
    end
    out[c] = slices
  end
  return out
end

--- Rows that can be drawn at n pixels: the view's own, or slices of it where it has many more.
function series.thinned(s, n)
  if #s.times <= 2 * n then return s end
  local thin = { times = {}, values = series.slices(s, n), columns = s.columns,
    relative = s.relative, first = s.first, last = s.last, bin = s.interval }
  thin.interval = (s.last - s.first) / n
  for k = 1, n do thin.times[k] = s.first + (k - 1) * thin.interval end
  return thin
end

return series
