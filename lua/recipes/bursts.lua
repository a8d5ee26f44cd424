-- Microbursts: moments in which far more arrives than on average, and who sent most of it. Queues
-- overflow in milliseconds, which no counter that is read each minute shows.
local findings = require "sluice.findings"

local function mean_rate(run)
  local seconds = run.seconds(run.stats.first, run.stats.last)
  return seconds > 0 and tonumber(run.stats.bytes) / seconds or 0
end

-- Numbers of any size in a few characters: a capture with gaps of years has a mean near nothing.
local function times(n) return (n < 1e6 and "%.0f" or "%.1e"):format(n) end

local function mean_note(usual, width)
  if usual == 0 then return "No time passes between packets, so there is no mean." end
  return (usual < 10 and "The mean is %.2g bytes in %g s." or "The mean is %.0f bytes in %g s.")
    :format(usual, width)
end

return {
  about = "moments with far more bytes than on average, and who sent them",
  options = {
    width = { default = 0.01, about = "seconds that a moment lasts" },
    times = { default = 20, about = "how far above the mean a burst is" },
    most = { default = 50, about = "bursts to tell" },
  },
  start = function(opt)
    if opt.width < 1e-6 then error("--width takes seconds, 0.000001 or more", 0) end
    local width = opt.width
    local largest_packet = max { "largest packet" } -- what one packet brings is no burst
    local moments = top { "bytes by moment", key = "moment" }
    local senders = top { "bytes by moment and pair", key = { "moment", "s:address", "d:address" } }
    return {
      packet = function(p)
        local ts = p.ts:seconds()
        local moment = (ts - ts % width) / width
        moments:add(moment, p.len)
        largest_packet:add(p.len)
        if p.ip_version > 0 then senders:add(moment, p.src, p.dst, p.len) end
      end,
      finish = function(out, run)
        local usual, largest, rows = mean_rate(run) * width, {}, {}
        for _, r in ipairs(senders:top(100000)) do
          largest[r[1]] = largest[r[1]] or r
        end
        for _, r in ipairs(moments:top(opt.most)) do
          local moment, bytes, by = r[1], r[2], largest[r[1]]
          if usual == 0 or bytes < opt.times * usual then break end
          if bytes <= largest_packet:value() then break end
          local at = moment * width
          rows[#rows + 1] = { times(bytes / usual) .. " times the mean", by and by[2],
            by and ("%s, %.0f %% of it"):format(tostring(by[3]), 100 * by[4] / bytes), at,
            at + width, bytes, by and findings.between(by[2], by[3]) }
        end
        local notes = moments:notes()
        notes[#notes + 1] = mean_note(usual, width)
        out:findings { title = "Bursts", amount = "bytes", unit = "bytes", rows = rows,
          notes = notes }
      end,
    }
  end,
}
