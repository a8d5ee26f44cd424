-- What a packet or flow handler returns to end the run: `return stop`. A value of its own, so that
-- nothing else can be taken for it.
return setmetatable({}, { __tostring = function() return "stop" end, __newindex = function()
  error("stop holds nothing", 2)
end })
