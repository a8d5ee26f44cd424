-- Conditions as pieces of Lua source, put together so that LuaJIT gets few branches.
--
-- A sign condition is an integer expression (for bit operations) whose bit 31 is the truth:
-- "and" is band, "or" is bor, "not" is bnot, and a whole filter of such conditions costs one
-- branch. LuaJIT compiles every `and` and `or` to a side trace when its outcome varies, and past
-- 100 side traces (maxside) a loop falls back to the interpreter: signs cannot run into that.
-- A test condition is a Lua boolean expression, for what must not be evaluated in vain (bytes
-- that may lie outside the packet, searches) or has no sign form. Mixed conditions evaluate the
-- signs first.

local cond = {}

cond.TRUE, cond.FALSE = { kind = "true" }, { kind = "false" }
local TRUE, FALSE = cond.TRUE, cond.FALSE

local GROUP = 16 -- operands of one call: LuaJIT has 250 slots a function

function cond.sign(expr)
  return { kind = "sign", expr }
end

function cond.test(expr)
  return { kind = "test", expr }
end

local function fold(op, list)
  if #list == 1 then
    return list[1]
  end
  local groups = {}
  for first = 1, #list, GROUP do
    local last = math.min(first + GROUP - 1, #list)
    groups[#groups + 1] = first == last and list[first]
      or op .. "(" .. table.concat(list, ", ", first, last) .. ")"
  end
  return fold(op, groups)
end

local function join(list, op, word, absorbing, neutral)
  local signs, tests, seen = {}, {}, {}
  for _, c in ipairs(list) do
    if c == absorbing then
      return absorbing
    elseif c ~= neutral and not seen[c[1]] then
      seen[c[1]] = true
      local into = c.kind == "sign" and signs or tests
      into[#into + 1] = c[1]
    end
  end
  if #tests == 0 then
    return #signs == 0 and neutral or cond.sign(fold(op, signs))
  end
  if #signs > 0 then
    table.insert(tests, 1, "(" .. fold(op, signs) .. ") < 0")
  end
  return #tests == 1 and cond.test(tests[1])
    or cond.test("(" .. table.concat(tests, " " .. word .. " ") .. ")")
end

function cond.all(list)
  return join(list, "band", "and", FALSE, TRUE)
end

function cond.any(list)
  return join(list, "bor", "or", TRUE, FALSE)
end

function cond.negate(c)
  if c == TRUE or c == FALSE then
    return c == TRUE and FALSE or TRUE
  elseif c.negated then
    return c.negated
  end
  local result = c.kind == "sign" and cond.sign("bnot(" .. c[1] .. ")")
    or cond.test("not (" .. c[1] .. ")")
  result.negated = c
  return result
end

-- The condition as a Lua boolean expression.
function cond.render(c)
  if c == TRUE or c == FALSE then
    return c.kind
  end
  return c.kind == "sign" and "(" .. c[1] .. ") < 0" or c[1]
end

return cond
