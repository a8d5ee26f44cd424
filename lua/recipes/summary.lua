-- What is in the capture: packets, bytes, times, flows, protocols, and what could not be read.
-- Every packet is counted under one network or one reason why it has none.
-- "38197 ip + 629 arp + 2 truncated link header = 38828 packets": nothing is lost.
local function conservation(run)
  local parts, sum = {}, 0
  for _, list in ipairs { run.networks(), run.reasons(run.stats.skipped) } do
    for _, x in ipairs(list) do
      local n = tonumber(x[2])
      parts[#parts + 1] = ("%.0f %s"):format(n, x[1])
      sum = sum + n
    end
  end
  if sum == 0 then return {} end
  return { ("Every packet is accounted for: %s = %.0f packets"):format(
    table.concat(parts, " + "), sum) }
end

-- Of inputs on servers what tells whether they are still the same ones: sizes and versions.
local function identities(out, run)
  local sizes, etags, any = {}, {}, false
  for i in ipairs(run.inputs) do
    local size, etag = (run.sizes or {})[i] or -1, (run.etags or {})[i]
    sizes[i] = size >= 0 and size or out.null
    etags[i] = etag or out.null
    any = any or etag ~= nil
  end
  return any and { { "etags", out:array(etags) }, { "input_sizes", out:array(sizes) } } or {}
end

-- Bits a second; nil where one would say nothing: of moments, and of next to nothing in ages.
local function mean_rate(bytes, seconds)
  local rate = seconds >= 0.001 and 8 * bytes / seconds or 0
  return rate >= 1 and rate or nil
end

-- Of a sample: what a record says of packets and bytes, with intervals.
local function estimated(out, sample)
  local protocols = {}
  for i, x in ipairs(sample.protocols) do
    protocols[i] = { x[1], out:object(sample:fields(x[2])) }
  end
  return protocols
end

return {
  about = "what the capture holds: packets, bytes, times, flows, protocols",
  flows = true,
  sampled = function()
    return {
      finish = function(out, run)
        local sample = run.sample
        local fields = sample:fields(sample.all)
        table.insert(fields, 1, { "inputs", out:array(run.inputs) })
        for _, field in ipairs {
          { "flows", out.null }, { "link_types", out:array(run.link_types) },
          { "protocols", out:object(estimated(out, sample)) },
          { "not_estimated", out:array(sample.rare) },
          { "sample", sample:object(out) }, { "truncated", run.status == 1 },
        } do
          fields[#fields + 1] = field
        end
        out:record { title = "Summary, estimated", fields = fields, notes = sample:notes(true) }
      end,
    }
  end,
  start = function(_, ctx)
    local is_page = ctx:is_page()
    return {
      finish = function(out, run)
        local s = run.stats
        local timed = s.timed > 0
        local seconds = timed and run.seconds(s.first, s.last) or 0
        local bytes = tonumber(s.bytes)
        local rate = mean_rate(bytes, seconds)
        local tiles = {
          { "packets", tonumber(s.packets), unit = "packets" }, { "bytes", bytes, unit = "bytes" },
          { "flows", tonumber(run.flow_stats.created), unit = "flows" },
          { "duration", timed and seconds or out.null, type = "duration" },
        }
        if rate then tiles[#tiles + 1] = { "mean rate", rate, unit = "bits/s" } end
        local fields = {
          { "inputs", out:array(run.inputs) },
          { "packets", s.packets },
          { "bytes", s.bytes },
          { "captured_bytes", s.captured_bytes },
          { "first", timed and s.first or out.null, type = "time" },
          { "last", timed and s.last or out.null, type = "time" },
          { "duration", timed and seconds or out.null, type = "duration" },
          { "link_types", out:array(run.link_types) },
          { "flows", run.flow_stats.created },
          { "protocols", out:object(run.protocols()) },
          { "network", out:object(run.networks()) },
          { "skipped", out:object(run.reasons(s.skipped)) },
          { "incomplete", out:object(run.reasons(s.incomplete)) },
          { "truncated", run.status == 1 },
        }
        if is_page then
          for _, field in ipairs(identities(out, run)) do table.insert(fields, 2, field) end
        end
        out:record { title = "Summary", notes = conservation(run), tiles = tiles, fields = fields }
      end,
    }
  end,
}
