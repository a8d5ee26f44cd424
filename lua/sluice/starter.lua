-- sluice new NAME: a recipe to begin with, commented, that works as it stands.
local recipe = require "sluice.recipe"

local starter = {}

local TEXT = [==[
-- What this recipe tells, in a line or two.
return {
  about   = "bytes by server port",              -- for --help and `sluice recipes`
  options = { top = { default = 10, about = "ports to show" } }, -- --top 20; here opt.top
  filter  = "tcp || udp",                        -- a display filter: what the recipe sees

  -- Runs once, before the first packet: aggregates are made here and nowhere else.
  start = function(opt)
    local bytes = sum { "bytes by port", key = "port" }
    local first = min { "first seen by port", key = "port", decimals = 6 }

    return {
      -- For every packet that passes the filter. Simple things here run at the speed of C.
      packet = function(p)
        if p.payload.size > 0 then bytes:add(p.dport, p.len) end
      end,

      -- For every flow when it has ended.
      flow = function(f)
        first:add(f.dport, f.first:seconds())
      end,

      -- At the end: views, which become text, JSON, CSV, a picture or a page (-T, -o).
      finish = function(out)
        local rows = bytes:top(opt.top)
        for _, row in ipairs(rows) do row[3] = first:get(row[1]) end
        out:table { title = "Bytes by port", rows = rows, total = rows.total, chart = "bytes",
          columns = { "port", { name = "bytes", unit = "bytes" },
            { name = "first", type = "time" } } }
      end,
    }
  end,
}
]==]

--- Writes NAME.lua; says what to do next. An existing file stays.
function starter.write(name)
  if not name then recipe.fail "new wants a name: sluice new NAME" end
  local path = name:match "%.lua$" and name or name .. ".lua"
  local there = io.open(path, "r")
  if there then
    there:close()
    recipe.fail("%s is there already", path)
  end
  local file, why = io.open(path, "w")
  if not file then recipe.fail("new: %s", why) end
  file:write(TEXT)
  if not file:close() then recipe.fail("new: %s cannot be written", path) end
  print(("%s: try `sluice %s IN`, and `sluice check %s` after each change"):format(path,
    path:find "/" and path or "./" .. path, path))
  return 0
end

return starter
