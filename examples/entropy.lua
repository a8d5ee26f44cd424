-- Entropy of what servers send first, in bits a byte: near 8 it is encrypted or compressed.
local n = require("ffi").new("uint32_t[256]")
return {
  about = "entropy of the first KiB that servers send, by port", head = 1024,
  start = function()
    local entropy = mean { "bits a byte by port", key = "port" }
    return {
      flow = function(f)
        local v, h = f.head_dst, 0
        if v.size < 256 then return end
        for i = 0, 255 do n[i] = 0 end
        for i = 0, v.size - 1 do n[v:u8(i)] = n[v:u8(i)] + 1 end
        for i = 0, 255 do if n[i] > 0 then h = h - n[i] / v.size * math.log(n[i] / v.size) end end
        entropy:add(f.dport, h / math.log(2))
      end,
      finish = function(out)
        out:bars { title = "Entropy of the first bytes", rows = entropy:top(20), unit = "bits" }
      end,
    }
  end,
}
