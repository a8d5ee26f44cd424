-- Who knocks where nobody answers: connection attempts by source that were never set up. A high
-- number for one address is a port scan or a dead service.
local bit = require "bit"

local SYN_ACK = 18

return {
  about = "TCP connection attempts without an answer, by source",
  options = { top = { default = 10, about = "sources to show" } },
  filter = "tcp",
  start = function(opt)
    local attempts = top { "unanswered attempts by source", key = "source:address" }
    return {
      flow = function(f)
        local answered = bit.band(f.tcp_flags[1], SYN_ACK) == SYN_ACK
        if bit.band(f.tcp_flags[0], 2) ~= 0 and not answered then attempts:add(f.src, 1) end
      end,
      finish = function(out)
        out:bars { title = "Unanswered connection attempts", rows = attempts:top(opt.top) }
      end,
    }
  end,
}
