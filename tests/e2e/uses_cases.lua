-- For test_uses.py: what sluice.uses says of many handlers. The environment variable CASES names a
-- JSON file with a list of { code, kind }: code is the body of start and returns the handler. One
-- JSON line each: { parallel =, why =, ordered = }.
local json = require "cjson"
local uses = require "sluice.uses"

return {
  about = "what handlers use",
  start = function()
    local file = assert(io.open(os.getenv "CASES"))
    local cases = json.decode(file:read "*a")
    file:close()
    for i, case in ipairs(cases) do
      local chunk = assert(loadstring(case.code:gsub("NAME", "total " .. i), "=case"))
      local handler = setfenv(chunk, getfenv())()
      local parallel, why = uses.parallel(handler, case.kind)
      local ordered = uses.ordered(handler, case.kind)
      print(json.encode { parallel = parallel, why = why, ordered = ordered })
    end
    return {}
  end,
}
