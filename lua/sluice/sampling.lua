-- --sample: which runs may have it, and what recipes are told of it.
local ffi = require "ffi"
local C = require("sluice.abi").C
local estimate = require "sluice.estimate"
local recipe = require "sluice.recipe"
local value = require "sluice.value"

local sampling = {}

local SEED = 1 -- the same command gives the same result
local LEAST = 1e-6

--- The part that --sample wants, above 0 to 1, and the seed; nil: there is no sample.
function sampling.wanted(o)
  if not o.sample then
    if o.seed then recipe.fail "--seed chooses the blocks of --sample, which is not given" end
    return nil
  end
  local percent = tonumber(o.sample:match "^(%d*%.?%d+)%%$")
  local part = percent and percent / 100 or 0
  if part < LEAST or part > 1 then
    recipe.fail("--sample takes a part such as 1%%, above %g%% to 100%%, not '%s'", 100 * LEAST,
      o.sample)
  end
  return part, o.seed or SEED
end

-- What a sample cannot have, and why.
local NEVER = {
  { "count", "-c", "ends a run at its beginning" },
  { "from", "--from", "reads a part of its own" }, { "to", "--to", "reads a part of its own" },
  { "follow", "--follow", "waits for what has no end yet" },
  { "write", "-w", "wants every packet" }, { "per_flow", "--per-flow", "wants every packet" },
  { "interface", "-i", "wants every packet" },
  { "flow_filter", "-F", "wants flows, of which a sample holds pieces" },
  { "idle", "--idle", "wants flows, of which a sample holds pieces" },
  { "max_flows", "--max-flows", "wants flows, of which a sample holds pieces" },
}

-- What packets of a sample do not have, for -Y.
local STAMPED = { { "p.number", "numbers" }, { "p.delta", "times since the packet before" },
  { "p.flow", "flows" } }

--- Fails where a sample makes no sense. Before recipes start: those that can be estimated have a
--- start of their own for it.
function sampling.check(o, recipes, display)
  for _, x in ipairs(NEVER) do
    if o[x[1]] then recipe.fail("--sample and %s exclude each other: %s %s", x[2], x[2], x[3]) end
  end
  if (o.workers or 1) > 1 then
    recipe.fail("--sample reads with one worker: leave -j %d out", o.workers)
  end
  for _, r in ipairs(recipes) do
    if not r.sampled then
      recipe.fail("--sample: recipe %s wants every packet (flows, distinct counts and lists do); "
        .. "summary, protocols, talkers and count can be estimated", r.name)
    end
  end
  for _, x in ipairs(STAMPED) do
    if display and display.expr:find(x[1], 1, true) then
      recipe.fail("-Y: packets of a --sample have no %s", x[2])
    end
  end
end

-- "ip", row of the estimate, for each protocol that has one; names of those that have none.
local function by_protocol(c, stats)
  local at, list, rare = {}, {}, {}
  for i = 1, tonumber(C.sl_estimate_rank(c)) do
    local row = C.sl_estimate_at(c, i - 1)
    at[row.number] = row
  end
  for i = 0, C.SL_P_N - 1 do
    if at[i] then
      list[#list + 1] = { ffi.string(C.sl_proto_name(i)), at[i] }
    elseif stats.proto_packets[i] > 0 then
      rare[#rare + 1] = ffi.string(C.sl_proto_name(i))
    end
  end
  return list, rare, at[C.SL_P_N]
end

local Sample = {}
Sample.__index = Sample

--- Of a run that was read: run.sample of sluice.info.
function sampling.of(handle, stats, seed)
  local account = ffi.new "struct sl_sample_account"
  if C.sl_run_sample(handle, account) == 0 then return nil end
  local self = setmetatable({ seed = seed, blocks = tonumber(account.blocks),
    wanted = tonumber(account.wanted), every = account.every, block_bytes = account.block_bytes,
    bytes = account.bytes, of_bytes = account.of_bytes }, Sample)
  self.protocols, self.rare, self.all = by_protocol(C.sl_run_estimate(handle), stats)
  return self
end

--- packets, packets_low, packets_high, bytes, … of a row; of nil, which is not estimated, nulls.
function Sample.cells(_, row)
  if row then return estimate.cells(row) end
  local null = value.null
  return null, null, null, null, null, null
end

--- The same as fields of a record.
function Sample:fields(row)
  local list, cells = {}, { self:cells(row) }
  for i, column in ipairs(estimate.columns) do
    list[i] = { column.name, cells[i], unit = column.unit, digits = column.digits }
  end
  return list
end

--- What the result is made of, as an object.
function Sample:object(out)
  return out:object { { "blocks", self.blocks }, { "block_bytes", math.floor(self.block_bytes) },
    { "one_in", self.every }, { "bytes_read", self.bytes }, { "of_bytes", self.of_bytes },
    { "confidence", 0.95 }, { "seed", self.seed } }
end

--- And in sentences. rare: they are names of protocols.
function Sample:notes(rare)
  local units = require "sluice.units"
  local notes = { ("Estimated from %.0f blocks of %s, one in %d (seed %.0f); a true number lies "
    .. "from low to high in 95 %% of samples"):format(self.blocks,
    units.format(self.block_bytes, "bytes"), self.every, self.seed) }
  if self.blocks < self.wanted then
    notes[#notes + 1] = ("Reading ended early: of the first %s of the capture alone"):format(
      units.format(self.of_bytes, "bytes"))
  end
  if rare and #self.rare > 0 then
    notes[#notes + 1] = "not estimated, in fewer than 30 blocks: " .. table.concat(self.rare, ", ")
  end
  return notes
end

return sampling
