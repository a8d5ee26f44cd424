-- Numbers and times of packets as they stand, for tests that compare captures.
return {
  about = "packets as they stand",
  start = function()
    return {
      packet = function(p)
        print(p.number, ("%d.%09d"):format(tonumber(p.ts.s), p.ts.nsec), p.len, p.sport)
      end,
    }
  end,
}
