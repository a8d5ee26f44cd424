-- Who talks most: bytes and packets of every address, as sender and as receiver.
return {
  about = "the addresses with most bytes, sent and received",
  options = { top = { default = 20, about = "addresses to show" } },
  sampled = function(opt, out)
    local hosts = estimate { "packets by address", key = "address" }
    return {
      packet = function(p)
        if p.ip_version == 0 then return end
        hosts:add(p.src, p.len)
        if p.src ~= p.dst then hosts:add(p.dst, p.len) end
      end,
      finish = function(view, run)
        local rows, notes = hosts:top(out:cut(opt.top)), run.sample:notes()
        for _, row in ipairs(rows) do table.insert(row, 2, geo.country(row[1])) end
        for _, note in ipairs(hosts:notes "addresses") do notes[#notes + 1] = note end
        view:table { title = "Top talkers, estimated", rows = rows, total = rows.total,
          notes = notes, chart = "bytes", columns = { { name = "address", type = "address" },
            "country", unpack(hosts.columns) } }
      end,
    }
  end,
  start = function(opt, out)
    local total = top { "bytes by address", key = "address" }
    local sent = sum { "bytes sent", key = "address" }
    local received = sum { "bytes received", key = "address" }
    local flows = count { "flows", key = "address" }
    return {
      flow = function(f)
        local to, from = f.bytes_src, f.bytes_dst
        total:add(f.src, to + from)
        sent:add(f.src, to)
        received:add(f.src, from)
        flows:add(f.src)
        if f.src == f.dst then return end
        total:add(f.dst, to + from)
        sent:add(f.dst, from)
        received:add(f.dst, to)
        flows:add(f.dst)
      end,
      finish = function(view)
        local rows = total:top(out:cut(opt.top))
        local list = {}
        for i, row in ipairs(rows) do
          local a = row[1]
          list[i] = { a, geo.country(a), row[2], sent:get(a), received:get(a), flows:get(a) }
        end
        view:table { title = "Top talkers", rows = list, total = rows.total, chart = "bytes",
          notes = total:notes(), columns = { { name = "address", type = "address" }, "country",
            { name = "bytes", unit = "bytes" }, { name = "sent", unit = "bytes" },
            { name = "received", unit = "bytes" },
            { name = "flows", unit = "flows", spare = true } } }
      end,
    }
  end,
}
