-- How large the packets are, in classes that double.
return {
  about = "packets by size class",
  start = function()
    local sizes = count { "packets by size", key = "size" }
    return {
      packet = function(p)
        local class = 64
        while class < p.len do class = class * 2 end
        sizes:add(class)
      end,
      finish = function(out)
        local rows = {}
        for i, row in ipairs(sizes:rows()) do
          rows[i] = { ("up to %d bytes"):format(row[1]), row[2] }
        end
        out:bars { title = "Packet sizes", value = "packets", rows = rows }
      end,
    }
  end,
}
