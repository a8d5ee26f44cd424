-- Bytes by direction across the border of a network: sluice examples/inside-outside.lua IN
-- --inside 10.0.0.0/8
return {
  about = "bytes that stay inside a network, leave it, enter it, or pass by",
  options = { inside = { default = "192.168.0.0/16", about = "the network inside" } },
  start = function(opt)
    local home = net(opt.inside)
    local names = { [0] = "pass by", "enter", "leave", "stay inside" }
    local bytes = sum { "bytes by direction", key = "direction" }
    return {
      packet = function(p)
        if p.ip_version == 0 then return end
        local from = p.src:within(home) and 2 or 0
        local to = p.dst:within(home) and 1 or 0
        bytes:add(from + to, p.len)
      end,
      finish = function(out)
        local rows = {}
        for i, row in ipairs(bytes:rows()) do rows[i] = { names[row[1]], row[2] } end
        out:bars { title = "Bytes across " .. opt.inside, unit = "bytes", rows = rows }
      end,
    }
  end,
}
