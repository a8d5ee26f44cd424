-- The first packets of each flow: the beginning of every conversation in a file that is small
-- enough to open. With -w FILE it writes them, else it counts.
return {
  about = "the first packets of each flow; -w writes them",
  options = { n = { default = 3, about = "packets of each flow" } },
  start = function(opt)
    local kept, all = sum { "bytes kept" }, sum { "bytes" }
    return {
      packet = function(p)
        all:add(p.len)
        if p.flow_pkt > opt.n then return false end
        kept:add(p.len)
      end,
      finish = function(out)
        out:record { title = "First packets", fields = {
          { "kept", kept:value(), unit = "bytes" }, { "of", all:value(), unit = "bytes" } } }
      end,
    }
  end,
}
