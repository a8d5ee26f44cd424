-- Entropy of what servers send first, in bits a byte: near 8 it is encrypted or compressed.
local entropy = mean { "bits a byte by port", key = "port" }
return {
  about = "entropy of the first KiB that servers send, by port", head = 1024,
  flow = function(f)
    if f.head_dst.size >= 256 then entropy:add(f.dport, f.head_dst:entropy()) end
  end,
  finish = function(out)
    out:bars { title = "Entropy of the first bytes", rows = entropy:top(20), unit = "bits" }
  end,
}
