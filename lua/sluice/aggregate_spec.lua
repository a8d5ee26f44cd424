-- What a recipe writes between the braces of sum { … }: checked, and brought to one form.
--
--   "name"          the first thing; every aggregate has one of its own
--   key             nothing: one total; or a part, or a list of up to three
--   of              of distinct and sample: what is counted or kept, said like a key
--   keys            bound on distinct keys
--   decimals        digits behind the point that are kept
--   n               of top: rows that rows() gives; of sample: records that are kept (for each key)
--   bin, bins       of series: seconds of a bin; bound on bins
--   q               of quantile: those that rows() gives
--   edges, or from, to and step or factor     of histogram
--   precision       of distinct: 2^precision registers
--   seed            of sample: another number is another choice
--   unit            of the values, for views: "bytes", "s", "%", "packets" …
--
-- A part of a key: "address"; "address/24" or "address/24/48" for a prefix (of IPv4, of IPv6: 64);
-- "string"; "country"; "number"; any other word for a number that is labelled so; and "src:address"
-- for one with a label.

local ffi = require("ffi")

local error, ipairs, math, pairs, table, tonumber, tostring, type =
  error, ipairs, math, pairs, table, tonumber, tostring, type
local C = ffi.C

local spec = {}

spec.kinds = {
  count = C.SL_AGG_COUNT, sum = C.SL_AGG_SUM, min = C.SL_AGG_MIN, max = C.SL_AGG_MAX,
  top = C.SL_AGG_TOP, series = C.SL_AGG_SERIES, mean = C.SL_AGG_MEAN,
  quantile = C.SL_AGG_QUANTILE, histogram = C.SL_AGG_HISTOGRAM, distinct = C.SL_AGG_DISTINCT,
  sample = C.SL_AGG_SAMPLE,
}

local TYPES = { number = C.SL_AGG_NUMBER, address = C.SL_AGG_ADDRESS, string = C.SL_AGG_STRING,
  country = C.SL_AGG_COUNTRY, prefix = C.SL_AGG_PREFIX }
local IPV6_BITS = 64 -- of a prefix that names its IPv4 bits only

local OPTIONS = {
  count = { "key", "keys", "unit" },
  sum = { "key", "keys", "decimals", "unit" },
  min = { "key", "keys", "decimals", "unit" },
  max = { "key", "keys", "decimals", "unit" },
  mean = { "key", "keys", "decimals", "unit" },
  top = { "key", "n", "keys", "decimals", "unit" },
  series = { "bin", "bins", "key", "keys", "decimals" },
  quantile = { "key", "q", "keys", "decimals", "unit" },
  histogram = { "edges", "from", "to", "step", "factor", "key", "keys", "decimals" },
  distinct = { "of", "key", "keys", "precision", "unit" },
  sample = { "of", "n", "key", "keys", "seed" },
}
-- Of these fractions are the rule, so they are kept unless told otherwise.
local DECIMALS = { mean = 6, quantile = 6, histogram = 6 }
local N = { top = 10, sample = 100 }

local function fail(name, format, ...)
  error(("aggregate \"%s\": " .. format):format(name, ...), 0)
end

-- ---- keys ----

local function prefix_part(name, part, label, text)
  local v4, v6 = text:match("^address/(%d+)$"), nil
  if not v4 then
    v4, v6 = text:match("^address/(%d+)/(%d+)$")
  end
  v4, v6 = tonumber(v4), tonumber(v6 or IPV6_BITS)
  if not v4 or v4 > 32 or v6 > 128 then
    fail(name, "a prefix is said as \"address/24\" or \"address/24/48\", not \"%s\"", part)
  end
  return label or "address", "prefix", v4, v6
end

-- "port", "address", "src:address/24" -> label, type, and of a prefix its bits.
local function key_part(name, part)
  if type(part) ~= "string" or part == "" then
    fail(name, "key is a word, or a list of up to 3 words")
  end
  local label, kind = part:match("^(.+):([%a%d/]+)$")
  if (kind or part):find("^address/") then
    return prefix_part(name, part, label, kind or part)
  elseif not label then
    return part, TYPES[part] and part ~= "prefix" and part or "number"
  elseif not TYPES[kind] or kind == "prefix" then
    fail(name, "a key is a number, an address, address/24, string or country, not \"%s\"", kind)
  end
  return label, kind
end

local function parts_of(name, list, what, parts)
  if type(list) ~= "table" then
    list = { list }
  end
  if #list > C.SL_AGG_MAX_PARTS then
    fail(name, "%s has at most %d parts", what, C.SL_AGG_MAX_PARTS)
  end
  for _, word in ipairs(list) do
    local label, kind, v4, v6 = key_part(name, word)
    parts[#parts + 1] = { label = label, type = kind, v4 = v4, v6 = v6 }
  end
end

-- ---- numbers ----

local function whole(name, option, value, least, default)
  if value == nil then
    return default
  elseif type(value) ~= "number" or value < least or value > 1e15 or value % 1 ~= 0 then
    fail(name, "%s is a whole number", option)
  end
  return value
end

local function bin_us(name, bin)
  if bin == nil then
    return 0
  end
  local us = type(bin) == "number" and math.floor(bin * 1e6 + 0.5) or 0
  if not (us >= 1 and us < 1e15) or math.abs(bin * 1e6 - us) > 1e-3 then
    fail(name, "bin is a number of seconds, in whole microseconds")
  end
  return us
end

local function quantiles(name, q)
  if q == nil then
    return { 0.5, 0.9, 0.99 }
  end
  q = type(q) == "table" and q or { q }
  for _, part in ipairs(q) do
    if type(part) ~= "number" or not (part >= 0 and part <= 1) then
      fail(name, "q is a number from 0 to 1, or a list of such: 0.99")
    end
  end
  return q
end

-- from, to and step (of equal width), or factor (each so many times the one before).
local function edges_of(name, o)
  if o.edges then
    return o.edges
  end
  local from, to, step, factor = o.from, o.to, o.step, o.factor
  if not (type(from) == "number" and type(to) == "number" and from < to) or
    (step == nil) == (factor == nil) then
    fail(name, "a histogram has edges = { … }, or from, to and step, or from, to and factor")
  elseif factor and not (type(factor) == "number" and factor > 1 and from > 0) then
    fail(name, "factor is above 1, and from above 0 then")
  elseif step and not (type(step) == "number" and step > 0) then
    fail(name, "step is above 0")
  end
  local edges, most = {}, 5000 -- more than C accepts
  for i = 0, most do
    local edge = factor and from * factor ^ i or from + i * step
    edges[#edges + 1] = edge
    if edge >= to * (1 - 1e-12) then
      break
    end
  end
  return edges
end

-- ---- all of it ----

local function check_options(kind, options)
  local name = type(options) == "table" and options[1]
  if type(name) ~= "string" then
    error(("%s needs a name: %s { \"bytes by port\", … }"):format(kind, kind), 0)
  end
  local known = { [1] = true }
  for _, option in ipairs(OPTIONS[kind]) do
    known[option] = true
  end
  for option in pairs(options) do
    if not known[option] then
      fail(name, "%s has no option %s; it has %s", kind, tostring(option),
        table.concat(OPTIONS[kind], ", "))
    end
  end
  if kind == "distinct" and options.of == nil then
    fail(name, "of says what is counted: of = \"address\"")
  end
  return name
end

--- The fields of an aggregate: name, kind, parts (those of the key, then those of what is counted
--- or kept), n_key, labels and types (of the key), and its numbers.
function spec.check(kind, options)
  local name = check_options(kind, options)
  local s = { name = name, kind = kind, parts = {}, labels = {}, types = {} }
  parts_of(name, options.key, "a key", s.parts)
  s.n_key = #s.parts
  for i, part in ipairs(s.parts) do
    s.labels[i], s.types[i] = part.label, part.type
  end
  local of = {}
  parts_of(name, options.of, "of", of)
  for _, part in ipairs(of) do
    s.parts[#s.parts + 1] = part
  end
  s.decimals = whole(name, "decimals", options.decimals, 0, DECIMALS[kind] or 0)
  s.keys = whole(name, "keys", options.keys, 1, 0)
  s.bins = whole(name, "bins", options.bins, 1, 0)
  s.bin_us = bin_us(name, options.bin)
  s.n = whole(name, "n", options.n, 1, N[kind])
  s.precision = whole(name, "precision", options.precision, 1, 0)
  s.seed = whole(name, "seed", options.seed, 0, 0)
  s.q = kind == "quantile" and quantiles(name, options.q) or nil
  s.edges = kind == "histogram" and edges_of(name, options) or nil
  if options.unit ~= nil and type(options.unit) ~= "string" then
    fail(name, "unit is a word: \"bytes\"")
  end
  s.unit = options.unit
  return s
end

local function fill_edges(c, s)
  local edges = s.edges
  if type(edges) ~= "table" then
    fail(s.name, "edges is a list of numbers")
  end
  s.c_edges = ffi.new("double[?]", #edges + 1) -- an anchor: C copies it
  for i, edge in ipairs(edges) do
    if type(edge) ~= "number" then
      fail(s.name, "edges is a list of numbers")
    end
    s.c_edges[i - 1] = edge
  end
  c.edges, c.n_edges = s.c_edges, #edges
end

--- Writes them into a struct sl_agg_spec.
function spec.fill(c, s)
  c.name, c.kind = s.name, spec.kinds[s.kind]
  c.parts, c.of_parts = s.n_key, #s.parts - s.n_key
  for i, part in ipairs(s.parts) do
    c.label[i - 1] = part.label
    c.type[i - 1] = TYPES[part.type] + (part.v4 or 0) * 2 ^ 8 + (part.v6 or 0) * 2 ^ 16
  end
  c.decimals, c.max_keys, c.max_bins, c.bin_us = s.decimals, s.keys, s.bins, s.bin_us
  c.precision, c.pick = s.precision, s.seed
  if s.kind == "sample" then
    c.keep = s.n
  end
  if s.edges then
    fill_edges(c, s)
  end
end

return spec
