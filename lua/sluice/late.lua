-- late "sluice.merge": a module that is loaded when it is used first. Half of the time of a small
-- run is loading; what few runs use shall not cost the others.
return function(name)
  return setmetatable({}, {
    __index = function(self, field)
      local value = require(name)[field]
      rawset(self, field, value)
      return value
    end,
  })
end
