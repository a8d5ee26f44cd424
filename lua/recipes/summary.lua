-- What is in the capture: packets, bytes, times, flows, protocols, and what could not be read.
-- Every packet is counted under one network or one reason why it has none.
return {
  about = "what the capture holds: packets, bytes, times, flows, protocols",
  flows = true,
  start = function()
    return {
      finish = function(out, run)
        local s = run.stats
        local timed = s.timed > 0
        out:record { title = "Summary", fields = {
          { "inputs", out:array(run.inputs) },
          { "packets", s.packets },
          { "bytes", s.bytes },
          { "captured_bytes", s.captured_bytes },
          { "first", timed and s.first or out.null, type = "time" },
          { "last", timed and s.last or out.null, type = "time" },
          { "duration", timed and run.seconds(s.first, s.last) or out.null, type = "duration" },
          { "link_types", out:array(run.link_types) },
          { "flows", run.flow_stats.created },
          { "protocols", out:object(run.protocols()) },
          { "network", out:object(run.networks()) },
          { "skipped", out:object(run.reasons(s.skipped)) },
          { "incomplete", out:object(run.reasons(s.incomplete)) },
          { "truncated", run.status == 1 },
        } }
      end,
    }
  end,
}
