-- Partial results: what the recipes of one run have counted, as a file that `sluice merge` adds up
-- with others. The form:
--
--   "SLPARTIAL\n"  u32 version  logs  head (JSON)  aggregates, one after another
--   u64 offset of the head  u32 its size  u32 CRC-32 of all from the head on  (little endian)
--
-- The head says what was run (recipes by name and hash of their text, options, databases), and each
-- aggregate's name, kind, key and size. Its parts are runs over a piece of the capture each: over
-- what (inputs, piece of a plan), what is counted beside the aggregates, and where in the file the
-- log is (src/run/log.h) of what the run had to tell the flow tables. A part without a log that
-- kept flows has decided them itself, and knows nothing of those that go on elsewhere.
local ffi = require "ffi"
local cjson = require "cjson"
local C = require("sluice.abi").C
local geo = require "sluice.geo"
local json = require "sluice.json"
local recipe = require "sluice.recipe"
local sha256 = require "sluice.sha256"
local tally = require "sluice.tally"
local value = require "sluice.value"

local partial = {}

local MAGIC, VERSION = "SLPARTIAL\n", 3
local START = #MAGIC + 4      -- bytes before the logs
local TRAILER = 16
local COPY = 2 ^ 20           -- bytes of a log that are copied at a time
local BROKEN = "it is damaged or cut: write it again"

--- Options that decide what is counted: they must be the same in all pieces.
partial.options = { "bpf", "display", "flow_filter", "from", "to", "idle", "decap" }

local function u32(n)
  return string.char(n % 256, math.floor(n / 2 ^ 8) % 256, math.floor(n / 2 ^ 16) % 256,
    math.floor(n / 2 ^ 24) % 256)
end

local function to_number(text, at)
  local a, b, c, d = text:byte(at, at + 3)
  return ((d * 256 + c) * 256 + b) * 256 + a
end

local function sorted(map)
  local list = {}
  for name, v in pairs(map) do list[#list + 1] = { name, v } end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return value.object(list)
end

-- ---- what was run ----

local function hash_of(r)
  local file = r.path and io.open(r.path, "rb")
  if not file then return "" end
  local text = file:read "*a"
  file:close()
  return sha256.hex(text)
end

local function aggregate_of(a, size)
  return value.object { { "name", a.name }, { "kind", a.kind }, { "key", value.array(a.labels) },
    { "size", size } }
end

--- The aggregates of a recipe that a piece has counted in. by_log: flow handlers do not run in it;
--- what they would count in may then depend on the form of the result.
function partial.counted(r, by_log)
  local counts = r.handlers.packet or r.handlers.traffic or not by_log
  return counts and r.make.list or {}
end

local function recipe_of(r, blobs, by_log)
  local aggregates = {}
  for i, a in ipairs(partial.counted(r, by_log)) do
    local bytes = a:to_bytes()
    blobs[#blobs + 1] = bytes
    aggregates[i] = aggregate_of(a, #bytes)
  end
  return value.object { { "name", r.name:match "[^/]*$" }, { "sha256", hash_of(r) },
    { "options", sorted(r.given) }, { "aggregates", value.array(aggregates) } }
end

--- What names the recipes and their data, to be compared: nothing of it depends on the input.
function partial.options_of(o)
  local list = {}
  for _, name in ipairs(partial.options) do
    if o[name] ~= nil then list[#list + 1] = { name, o[name] } end
  end
  return value.object(list)
end

-- By what they say of themselves, not by where they lie.
local function databases()
  local list = {}
  for i, x in ipairs(geo.databases()) do list[i] = ("%s, built %d"):format(x[2], x[3]) end
  return value.array(list)
end

local function inputs_of(names)
  local list, size, head = {}, ffi.new "uint64_t[1]", ffi.new "uint32_t[1]"
  for i, name in ipairs(names) do
    local fields = { { "name", name } }
    if C.sl_file_identity(name, size, head) == 0 then
      fields[2], fields[3] = { "size", size[0] }, { "head", head[0] }
    end
    list[i] = value.object(fields)
  end
  return value.array(list)
end

-- ---- writing ----

local Writer = {}
Writer.__index = Writer

--- Opens the file, which appears under its name when it is whole. option: who wants it. handle:
--- struct sl_outfile.
function partial.open(path, option)
  local file = C.sl_outfile_open(path)
  if file == nil then recipe.fail("%s: no memory", path) end
  local self = setmetatable({ handle = ffi.gc(file, C.sl_outfile_free), size = 0,
    option = option or "--partial" }, Writer)
  self:write(MAGIC .. u32(VERSION))
  return self
end

function Writer:check(result)
  if result ~= 0 or C.sl_outfile_error(self.handle) ~= nil then
    recipe.fail("%s: %s", self.option, ffi.string(C.sl_outfile_error(self.handle)))
  end
end

function Writer:write(text)
  self:check(0)
  self:check(C.sl_outfile_write(self.handle, text, #text))
  self.size = self.size + #text
end

--- Takes note of a log that the core has written at the file's end. log: size, crc.
function Writer:logged(log)
  log.offset = self.size
  self.size = self.size + log.size
end

-- Nobody takes a log that is copied, so it is looked through here.
local function check_log(path, log)
  local part, err = ffi.new "struct sl_log_part", ffi.new "struct sl_error"
  part.path, part.offset, part.size, part.crc = path, log.offset, log.size, log.crc
  if C.sl_log_check(part, err) < 0 then
    error({ code = err.code, message = ffi.string(err.message) }, 0)
  end
end

--- Copies a part's log from the file that holds it.
function Writer:copy_log(path, log)
  check_log(path, log)
  local file, why = io.open(path, "rb")
  if not file then error({ code = 1, message = why }, 0) end
  file:seek("set", log.offset)
  local offset, left = self.size, log.size
  while left > 0 do
    local text = file:read(math.min(left, COPY))
    if not text then partial.refuse(path, BROKEN) end
    self:write(text)
    left = left - #text
  end
  file:close()
  return { offset = offset, size = log.size, crc = log.crc }
end

local function log_of(log)
  if not log then return value.null end
  return value.object { { "offset", log.offset }, { "size", log.size }, { "crc", log.crc } }
end

local function piece_of(piece)
  if not piece then return value.null end
  return sorted(piece)
end

-- A part of a run, or one that was read from another file.
local function part_of(part)
  return value.object {
    { "inputs", part.inputs }, { "piece", piece_of(part.piece) }, { "status", part.status },
    { "bytes_read", part.bytes_read }, { "frames", part.frames },
    { "link_types", value.array(part.link_types) },
    { "flows", part.flows }, { "log", log_of(part.log) }, { "digest", part.digest },
    { "statistics", part.statistics }, { "flow_statistics", part.flow_statistics },
  }
end

--- The part that a run is. run: sluice.info; flows: its recipes look at flows; log, piece: nil or
--- what part_of says.
function partial.part(run, flows, log, piece)
  return { inputs = inputs_of(run.inputs), piece = piece, status = run.status,
    bytes_read = run.bytes_read, frames = run.frames, link_types = run.link_types,
    flows = flows, log = log,
    statistics = tally.of(run.stats), flow_statistics = tally.of_flows(run.flow_stats) }
end

--- Writes what the recipes have counted in the parts, and completes the file. by_log: flow handlers
--- have not run; checkpoint: of sluice.checkpoint, or nil.
function Writer:finish(o, recipes, parts, by_log, checkpoint)
  local blobs, list, said = {}, {}, {}
  for i, r in ipairs(recipes) do list[i] = recipe_of(r, blobs, by_log) end
  local bodies = table.concat(blobs)
  for i, part in ipairs(parts) do
    if not part.digest then -- the same for two runs that have counted the same
      local text = json.encode(part.statistics) .. bodies
      part.digest = ("%08x"):format(C.sl_crc32(text, #text)) .. (part.log and part.log.sum or "")
    end
    said[i] = part_of(part)
  end
  local head = json.encode(value.object {
    { "program", o.version }, { "recipes", value.array(list) },
    { "options", partial.options_of(o) }, { "databases", databases() },
    { "by_log", by_log or false },
    { "checkpoint", checkpoint and sorted(checkpoint) or value.null },
    { "parts", value.array(said) },
  })
  local offset = self.size
  local body = head .. bodies .. u32(offset) .. u32(math.floor(offset / 2 ^ 32)) .. u32(#head)
  self:write(body .. u32(C.sl_crc32(body, #body)))
  self:check(C.sl_outfile_commit(self.handle))
end

-- ---- reading ----

function partial.refuse(path, format, ...)
  error({ code = 1, message = ("%s: " .. format):format(path, ...) }, 0)
end

local refuse = partial.refuse

--- Calls f; where it stumbles over a head that this program would not write, the file is refused.
function partial.believe(path, f, ...)
  local ok, why = pcall(f, ...)
  if ok then return end
  if recipe.is_told(why) then error(why, 0) end
  refuse(path, BROKEN)
end

-- The file's text from the head on, where the head begins, and its size.
local function content(path)
  local file, why = io.open(path, "rb")
  if not file then error({ code = 1, message = why }, 0) end
  local start, problem = file:read(START)
  if problem then refuse(path, "%s", problem) end
  if not start or start:sub(1, #MAGIC) ~= MAGIC then
    refuse(path, "it is no partial result (sluice RECIPE --partial FILE writes them)")
  end
  if #start < START then refuse(path, BROKEN) end
  local version = to_number(start, #MAGIC + 1)
  if version ~= VERSION then
    refuse(path, "its version is %d, this program reads %d: write it again", version, VERSION)
  end
  local size = file:seek "end"
  if size < START + TRAILER then refuse(path, BROKEN) end
  file:seek("set", size - TRAILER)
  local trailer = file:read(TRAILER)
  local offset = to_number(trailer, 1) + to_number(trailer, 5) * 2 ^ 32
  if offset < START or offset > size - TRAILER then refuse(path, BROKEN) end
  file:seek("set", offset)
  local text = file:read "*a"
  file:close()
  if to_number(trailer, 13) ~= C.sl_crc32(text, #text - 4) then refuse(path, BROKEN) end
  return text, offset, to_number(trailer, 9)
end

-- Cuts the aggregates out of what follows the head.
local function cut_aggregates(piece, text, at)
  for _, r in ipairs(piece.recipes) do
    for _, a in ipairs(r.aggregates) do
      a.bytes = text:sub(at, at + a.size - 1)
      at = at + a.size
    end
  end
  return at
end

local function null_free(t)
  for k, v in pairs(t) do
    if v == cjson.null then
      t[k] = nil
    elseif type(v) == "table" then
      null_free(v)
    end
  end
  return t
end

-- Logs lie one behind the other before the head. Whether they are what was written is found out
-- when they are taken, so that they are read once.
local function check_logs(piece, head)
  local at = START
  for _, part in ipairs(piece.parts) do
    local log = part.log
    if log then
      if log.offset ~= at then refuse(piece.path, BROKEN) end
      at = at + log.size
    end
  end
  if at ~= head then refuse(piece.path, BROKEN) end
end

--- What Writer:finish has written: the head as a table, with bytes in each aggregate, and path.
function partial.read(path)
  local text, offset, size = content(path)
  local ok, piece = pcall(cjson.decode, text:sub(1, size))
  if not ok or type(piece) ~= "table" then refuse(path, BROKEN) end
  null_free(piece)
  local whole, stop = pcall(cut_aggregates, piece, text, size + 1)
  if not whole or stop ~= #text - TRAILER + 1 then refuse(path, BROKEN) end
  piece.path = path
  partial.believe(path, check_logs, piece, offset)
  return piece
end

--- The hash of a recipe's text, and the databases in use, as pieces hold them.
partial.hash_of, partial.databases = hash_of, databases

return partial
