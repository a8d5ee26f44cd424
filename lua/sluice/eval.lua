-- sluice eval: a recipe made of one line. The text is the body of packet(p); aggregates come to be
-- when they are first named:
--
--   count("name")  count("name", key)  count("name", key, n)
--   sum, min, max, top  ("name", value)  ("name", key, value)
--   series("name", p.ts, value)
--
-- A text that is an expression is a filter too: without aggregates the result is how many packets
-- it holds for.
local ffi = require "ffi"
local aggregate = require "sluice.aggregate"
local recipe = require "sluice.recipe"
local stop = require "sluice.stop"

local eval = {}

local ALL = 2 ^ 31 -- rows; the view cuts them
local addr_t = ffi.typeof "struct sl_addr"

local function key_of(v)
  if v == nil then return nil end
  return ffi.istype(addr_t, v) and "key:address" or "key"
end

-- The functions of one eval: each finds its aggregate by name, or makes it. made lists them.
local function adders(make, made)
  local by_name = {}
  local function get(kind, name, key)
    local agg = by_name[name]
    if not agg then
      agg = make[kind] { name, key = key_of(key) }
      by_name[name] = agg
      made[#made + 1] = { kind = kind, name = name, keyed = key ~= nil, agg = agg }
    end
    return agg
  end
  local fns = {}
  function fns.count(name, key, n)
    local agg = get("count", name, key)
    if key == nil then agg:add(n or 1) else agg:add(key, n or 1) end
  end
  for _, kind in ipairs { "sum", "min", "max", "top" } do
    fns[kind] = function(name, a, b)
      if b == nil then get(kind, name):add(a) else get(kind, name, a):add(a, b) end
    end
  end
  function fns.series(name, ts, value)
    get("series", name):add(ts, value)
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

local function show(out, made)
  for _, m in ipairs(made) do
    local notes = m.agg:notes()
    if m.kind == "series" then
      local rows = m.agg:rows()
      out:lines { title = m.name, columns = { { name = "time", type = "time" }, "value" },
        rows = rows, interval = rows.bin, notes = notes }
    elseif m.keyed then
      out:bars { title = m.name, rows = m.agg:top(ALL), notes = notes }
    else
      out:record { title = m.name, fields = { { m.name, m.agg:value() or 0 } }, notes = notes }
    end
  end
end

--- A recipe of that text.
function eval.recipe(text)
  local make = aggregate.new { C = ffi.C }
  local function start()
    -- Apart from the others, so that the text may use any name.
    local made, passed = {}, aggregate.new({ C = ffi.C }).count { "passed" }
    local env = recipe.environment(make)
    for name, f in pairs(adders(make, made)) do rawset(env, name, f) end
    local body = setfenv(compile(text), env)
    return {
      packet = function(p)
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
          show(out, made)
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
