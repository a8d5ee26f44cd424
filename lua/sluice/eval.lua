-- sluice eval: a recipe made of one line. The text is the body of packet(p); aggregates come to be
-- when they are first named, with up to two keys:
--
--   count("name")                  count("name", key)             count("name", key, key)
--   sum("name", value)             sum("name", key, value)        sum("name", key, key, value)
--   min, max, mean, quantile, histogram                           the same
--   top("name", key, value)        top("name", key, key, value)
--   distinct("name", thing)        distinct("name", key, thing)   distinct("name", key, key, thing)
--   series("name", p.ts, value)    series("name", p.ts, key, value)
--   sample("name", p)              sample("name", p, thing)       sample("name", p, thing, thing)
--
-- A text that is an expression is a filter too: without aggregates the result is how many packets
-- it holds for.
local ffi = require "ffi"
local aggregate = require "sluice.aggregate"
local gate = require "sluice.uses.gate"
local recipe = require "sluice.recipe"
local stop = require "sluice.stop"

local eval = {}

local ROWS = 100 -- that people may see, unless --top asks for more
local addr_t = ffi.typeof "struct sl_addr"

-- What stands between the braces when a one-liner makes an aggregate: the type of a key is that of
-- the first one that comes.
local function part_of(label, v)
  if v == nil then
    error("a key is nothing here: test it first, as in `if key then … end`", 4)
  end
  return label .. (ffi.istype(addr_t, v) and ":address" or type(v) == "string" and ":string"
    or ":number")
end

local function parts_of(word, n, ...)
  local list = {}
  for i = 1, n do
    list[i] = part_of(n == 1 and word or word .. i, (select(i, ...)))
  end
  return n > 0 and list or nil
end

-- Kinds that take a value, or the thing that is counted, behind the keys; and before them a time or
-- a packet.
local BEHIND = { sum = true, min = true, max = true, mean = true, quantile = true, top = true,
  histogram = true, series = true, distinct = true }
local BEFORE = { series = true, sample = true }
-- Edges of histograms, for sizes and times alike: each is twice the one before.
local FROM, TO, FACTOR = 1, 2 ^ 24, 2

local function options_of(kind, name, n_key, ...)
  local o = { name }
  if kind == "sample" then
    o.of, o.n = parts_of("thing", n_key, ...), 20
  else
    o.key = parts_of("key", n_key, ...)
  end
  if kind == "distinct" then o.of = part_of("thing", (select(n_key + 1, ...))) end
  if kind == "histogram" then o.from, o.to, o.factor = FROM, TO, FACTOR end
  return o
end

-- The functions of one eval: each finds its aggregate by name, or makes it. made lists them. Their
-- arguments have names, because LuaJIT compiles "…" only where it can count them.
local function adders(make, made)
  local by_name = {}
  local function new(kind, name, n_key, ...)
    local agg = make[kind](options_of(kind, name, n_key, ...))
    by_name[name] = agg
    made[#made + 1] = { kind = kind, name = name, keyed = n_key > 0, agg = agg }
    return agg
  end
  local fns = {}
  for kind in pairs(aggregate.kinds) do
    local behind = BEHIND[kind] and 1 or 0
    if BEFORE[kind] then
      fns[kind] = function(name, before, a, b, c)
        local n = c ~= nil and 3 or b ~= nil and 2 or a ~= nil and 1 or 0
        local agg = by_name[name] or new(kind, name, n - behind, a, b, c)
        if n == 3 then agg:add(before, a, b, c) elseif n == 2 then agg:add(before, a, b)
        elseif n == 1 then agg:add(before, a) else agg:add(before) end
      end
    else
      fns[kind] = function(name, a, b, c)
        local n = c ~= nil and 3 or b ~= nil and 2 or a ~= nil and 1 or 0
        local agg = by_name[name] or new(kind, name, n - behind, a, b, c)
        if n == 3 then agg:add(a, b, c) elseif n == 2 then agg:add(a, b)
        elseif n == 1 then agg:add(a) else agg:add() end
      end
    end
  end
  return fns
end

local STATEMENTS = { "if", "for", "while", "local", "do", "repeat", "return", "function" }

-- An expression, or statements; of a text that is neither, the error of what it looks like is told.
local function compile(text)
  local chunk, why = loadstring("local p = ... return " .. text, "=eval")
  if chunk then return chunk end
  local body, why_not = loadstring("local p = ... " .. text, "=eval")
  if body then return body end
  for _, word in ipairs(STATEMENTS) do
    if text:match("^%s*" .. word .. "%f[%A]") then why = why_not end
  end
  recipe.fail("eval: %s", recipe.told(why))
end

-- A handler that counts the packets for which a test holds; nil: the text is more than comparisons
-- of numbers (sluice.uses.gate), so that it may give something else than true and false.
local function counter(text, passed)
  if text:find "passed" then return nil end
  local chunk = loadstring(("local passed = ... return function(p) if %s\n"
    .. "then passed:add(1) else return false end end"):format(text), "=eval")
  local handler = chunk and chunk(passed)
  return handler and gate.is_whole(handler) and handler
end

-- ---- what is shown ----

local SHOW = {}

function SHOW.series(out, m)
  local lines = m.agg:lines(m.keyed and 10 or nil)
  if not m.keyed then lines.columns[2] = "value" end
  lines.title = m.name
  out:lines(lines)
end

local function titles(agg, ...)
  local columns = {}
  for i = 1, agg.n_key do columns[i] = agg.parts[i].label end
  for _, more in ipairs { ... } do columns[#columns + 1] = more end
  return columns
end

function SHOW.quantile(out, m)
  local rows = m.keyed and m.agg:top(m.rows) or m.agg:rows()
  if not m.keyed then
    out:table { title = m.name, columns = { "quantile", "value" }, rows = rows }
    return
  end
  local columns = titles(m.agg)
  for _, q in ipairs(m.agg.q) do columns[#columns + 1] = ("q%g"):format(q * 100) end
  for _, row in ipairs(rows) do row[#row + 1] = row.count end
  columns[#columns + 1] = "count"
  out:table { title = m.name, columns = columns, rows = rows, total = rows.total }
end

function SHOW.mean(out, m)
  if not m.keyed then
    local deviation, n = m.agg:spread()
    out:record { title = m.name, notes = m.agg:notes(), fields = { { m.name, m.agg:value() },
      { "deviation", deviation }, { "count", n or 0 } } }
    return
  end
  local rows = m.agg:top(m.rows)
  for _, row in ipairs(rows) do
    row[#row + 1], row[#row + 2] = row.deviation, row.count
  end
  out:table { title = m.name, columns = titles(m.agg, "mean", "deviation", "count"), rows = rows,
    total = rows.total }
end

function SHOW.histogram(out, m)
  out:bars { title = m.name, rows = m.agg:bars() }
end

function SHOW.sample(out, m)
  local columns = { { name = "time", type = "time" } }
  for _, part in ipairs(m.agg.parts) do columns[#columns + 1] = part.label end
  columns[#columns + 1] = "offset"
  local rows = m.agg:rows()
  for _, row in ipairs(rows) do row[#row + 1] = row.offset end
  out:table { title = m.name, columns = columns, rows = rows }
end

local function show_totals(out, m)
  if m.keyed then
    out:bars { title = m.name, rows = m.agg:top(m.rows) }
  else
    out:record { title = m.name, fields = { { m.name, m.agg:value() or 0 } },
      notes = m.agg:notes() }
  end
end

local function show(out, made, rows)
  for _, m in ipairs(made) do
    local f = SHOW[m.kind] or show_totals
    m.rows = rows
    f(out, m)
  end
end

--- A recipe of that text.
function eval.recipe(text)
  local make = aggregate.new { C = ffi.C }
  local function start(_, handle)
    -- Apart from the others, so that the text may use any name.
    local made, passed = {}, aggregate.new({ C = ffi.C }).count { "passed" }
    local env = recipe.environment(make)
    for name, f in pairs(adders(make, made)) do rawset(env, name, f) end
    local body = setfenv(compile(text), env)
    return {
      packet = counter(text, passed) or function(p)
        local result = body(p)
        if rawequal(result, stop) then return stop end
        -- Fields such as frag_more are 0 or 1, and 0 is true in Lua: not here.
        if result and result ~= 0 then
          passed:add(1)
        elseif result ~= nil then
          return false -- -w drops it
        end
      end,
      finish = function(out)
        if #made > 0 then
          show(out, made, handle:cut(math.max(handle.top or 0, ROWS)))
        else
          out:record { title = text, fields = { { "packets", passed:value() or 0 } } }
        end
      end,
    }
  end
  return { name = "eval", about = "one line of Lua over every packet", options = {}, make = make,
    open = true, start = start }
end

return eval
