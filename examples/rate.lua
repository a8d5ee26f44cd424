-- A line for every minute of the capture while it is read: works on a pipe too.
return {
  about = "packets and bytes in every interval of capture time, as it passes",
  options = { seconds = { default = 60, about = "length of an interval" } },
  start = function(opt, out)
    local packets, bytes = 0, 0
    local function line(t)
      local kbits = bytes * 8 / opt.seconds / 1e3
      out:line(("%8.0f s %8d packets %10.1f kbit/s"):format(t, packets, kbits))
      packets, bytes = 0, 0
    end
    return {
      every = opt.seconds,
      packet = function(p)
        packets = packets + 1
        bytes = bytes + p.len
      end,
      interval = line,
      finish = function() out:line(("and %d packets since then"):format(packets)) end,
    }
  end,
}
