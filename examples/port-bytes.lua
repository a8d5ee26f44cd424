-- Bytes per server port.
return {
  about   = "Bytes per server port",
  options = { top = { default = 10, about = "ports to show" } },
  filter  = "tcp",
  start   = function(opt)
    local bytes = sum { "bytes by port", key = "port" }
    return {
      flow   = function(f) bytes:add(f.dport, f.bytes_src + f.bytes_dst) end,
      finish = function(out)
        out:bars { title = "Bytes per server port", rows = bytes:top(opt.top) }
      end,
    }
  end,
}
