-- How many packets and bytes pass the filters.
return {
  about = "packets and bytes that pass the filters",
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
