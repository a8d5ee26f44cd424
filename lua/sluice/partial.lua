-- Partial results: what the recipes of one run have counted, as a file that `sluice merge` adds up
-- with others. The form:
--
--   "SLPARTIAL\n"  u32 version  u32 size of the head  head (JSON)  aggregates, one after another
--   u32 CRC-32 of everything before                               numbers little endian
--
-- The head says what was run (recipes by name and hash of their text, options, databases), over
-- what (inputs), what is counted beside the aggregates, and each aggregate's name, kind, key and
-- size. edges: of flows that are open where a piece begins or ends; version 0 says nothing of them.
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

local MAGIC, VERSION, EDGES = "SLPARTIAL\n", 1, 0
local HEAD = #MAGIC + 8 -- bytes before the head
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

local function recipe_of(r, blobs)
  local aggregates = {}
  for i, a in ipairs(r.make.list) do
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

local function write_file(path, parts)
  local file = C.sl_outfile_open(path)
  if file == nil then recipe.fail("%s: no memory", path) end
  file = ffi.gc(file, C.sl_outfile_free)
  for _, part in ipairs(parts) do
    if C.sl_outfile_error(file) == nil then C.sl_outfile_write(file, part, #part) end
  end
  if C.sl_outfile_error(file) ~= nil or C.sl_outfile_commit(file) ~= 0 then
    recipe.fail("--partial: %s", ffi.string(C.sl_outfile_error(file)))
  end
end

--- Writes what the recipes have counted. run: sluice.info; flows: they look at flows.
function partial.write(path, o, recipes, run, flows)
  local blobs, list = {}, {}
  for i, r in ipairs(recipes) do list[i] = recipe_of(r, blobs) end
  local head = json.encode(value.object {
    { "program", o.version }, { "recipes", value.array(list) },
    { "options", partial.options_of(o) }, { "databases", databases() },
    { "inputs", inputs_of(run.inputs) }, { "status", run.status },
    { "bytes_read", run.bytes_read }, { "frames", run.frames },
    { "link_types", value.array(run.link_types) },
    { "flows", flows }, { "statistics", tally.of(run.stats) },
    { "flow_statistics", tally.of_flows(run.flow_stats) },
    { "edges", value.object { { "version", EDGES } } },
  })
  local body = MAGIC .. u32(VERSION) .. u32(#head) .. head .. table.concat(blobs)
  write_file(path, { body, u32(C.sl_crc32(body, #body)) })
end

-- ---- reading ----

local function refuse(path, format, ...)
  error({ code = 1, message = ("%s: " .. format):format(path, ...) }, 0)
end

--- Calls f; where it stumbles over a head that this program would not write, the file is refused.
function partial.believe(path, f, ...)
  local ok, why = pcall(f, ...)
  if ok then return end
  if recipe.is_told(why) then error(why, 0) end
  refuse(path, BROKEN)
end

local function content(path)
  local file, why = io.open(path, "rb")
  if not file then error({ code = 1, message = why }, 0) end
  local text, problem = file:read "*a"
  file:close()
  if not text then refuse(path, "%s", problem) end
  return text
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

--- What partial.write has written: the head as a table, with bytes in each aggregate, path, and
--- counted, which is the same for two files that hold the same counts.
function partial.read(path)
  local text = content(path)
  if text:sub(1, #MAGIC) ~= MAGIC or #text < HEAD + 4 then
    refuse(path, "it is no partial result (sluice RECIPE --partial FILE writes them)")
  end
  if to_number(text, #text - 3) ~= C.sl_crc32(text, #text - 4) then refuse(path, BROKEN) end
  local version, size = to_number(text, #MAGIC + 1), to_number(text, #MAGIC + 5)
  if version ~= VERSION then
    refuse(path, "its version is %d, this program reads %d: write it again", version, VERSION)
  end
  local ok, piece = pcall(cjson.decode, text:sub(HEAD + 1, HEAD + size))
  if not ok or type(piece) ~= "table" then refuse(path, BROKEN) end
  null_free(piece)
  local whole, stop = pcall(cut_aggregates, piece, text, HEAD + size + 1)
  if not whole or stop ~= #text - 3 then refuse(path, BROKEN) end
  if type(piece.frames) ~= "number" then refuse(path, BROKEN) end
  if piece.edges.version ~= EDGES then
    refuse(path, "it says of open flows what this program cannot read: use the one that wrote it")
  end
  piece.path = path
  piece.counted = json.encode(piece.statistics) .. text:sub(HEAD + size + 1, -5)
  return piece
end

--- The hash of a recipe's text, and the databases in use, as pieces hold them.
partial.hash_of, partial.databases = hash_of, databases
partial.refuse = refuse

return partial
