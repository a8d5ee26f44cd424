-- For test_filter.py: how many packets pass each of many filters, in one run; flows, if the
-- environment variable MODE is "flow". The variable FILTERS names a file with one filter a line; a
-- line of JSON for each comes out: its count, or what is wrong with it.
local filter = require "sluice.filter"
local json = require "cjson"

local MODE = os.getenv "MODE" or "packet"

local function read(path)
  local filters = {}
  for line in io.lines(path) do
    local f, why = filter.compile(line, MODE, { country = geo.country })
    filters[#filters + 1] = { count = 0, test = f and f.test, why = why and why:tostring() }
  end
  return filters
end

return {
  about = "counts of many filters",
  start = function()
    local filters = read(os.getenv "FILTERS")
    return {
      [MODE] = function(seen)
        for i = 1, #filters do
          local f = filters[i]
          if f.test and f.test(seen) then
            f.count = f.count + 1
          end
        end
      end,
      finish = function()
        for _, f in ipairs(filters) do
          print(json.encode { count = f.count, error = f.why })
        end
      end,
    }
  end,
}
