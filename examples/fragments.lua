-- MTU trouble: who sends fragments to whom, who is told that packets are too big, and the largest
-- IP packet on each path (an MTU is at least that).
return {
  about = "IP fragments, 'too big' messages, and the largest packets",
  options = { top = { default = 10, about = "rows of each table" } },
  filter = "ip || ipv6",
  start = function(opt)
    local pair = { "source:address", "destination:address" }
    local fragments = count { "fragments", key = pair }
    local told = count { "too big", key = { "router:address", "told:address" } }
    local largest = max { "largest", key = pair }
    return {
      packet = function(p)
        largest:add(p.src, p.dst, p.ip_len)
        if p.frag_offset > 0 or p.frag_more == 1 then fragments:add(p.src, p.dst) end
        local too_big = p.proto == 1 and p.icmp_type == 3 and p.icmp_code == 4
          or p.proto == 58 and p.icmp_type == 2
        if too_big then told:add(p.src, p.dst) end
      end,
      finish = function(out)
        local address = { name = "source", type = "address" }
        local function show(title, rows, amount)
          out:table { title = title, rows = rows, total = rows.total, columns = { address,
            { name = "destination", type = "address" }, amount } }
        end
        show("Fragments", fragments:top(opt.top), { name = "packets", unit = "packets" })
        show("Told that packets are too big", told:top(opt.top),
          { name = "packets", unit = "packets" })
        show("Largest packets", largest:top(opt.top), { name = "largest", unit = "bytes" })
      end,
    }
  end,
}
