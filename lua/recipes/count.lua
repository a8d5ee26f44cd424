-- How many packets and bytes pass the filters.
return {
  about = "packets and bytes that pass the filters",
  sampled = function()
    return {
      finish = function(out, run)
        out:record { title = "Count, estimated", fields = run.sample:fields(run.sample.all),
          notes = run.sample:notes() }
      end,
    }
  end,
  start = function()
    return {
      finish = function(out, run)
        out:record { title = "Count", fields = {
          { "packets", run.stats.packets }, { "bytes", run.stats.bytes },
        } }
      end,
    }
  end,
}
