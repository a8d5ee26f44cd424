-- -e FIELD: packets as columns of fields, under the names and in the forms that tshark gives them.
--
-- -T fields writes what tshark -T fields writes, -E included. In csv and tsv the columns have a
-- header; in json and jsonl a packet is an object of the fields that it has, each a text, and a
-- list of texts where the field can have several values.
local json = require "sluice.json"
local recipe = require "sluice.recipe"
local late = require "sluice.late"
local show = late "sluice.filter.show"

local fields = {}

local FORMS = { fields = true, csv = true, tsv = true, json = true, jsonl = true }
local ESCAPES = { ["/t"] = "\t", ["/s"] = " ", ["/n"] = "\n" }
local DEFAULTS = { header = "n", separator = "\t", quote = "n", occurrence = "a", aggregator = ",",
  bom = "n" }
local ALLOWED = { header = { y = 1, n = 1 }, quote = { d = '"', s = "'", n = "" },
  occurrence = { f = 1, l = 1, a = 1 }, bom = { y = 1, n = 1 } }

local function option_of(text, into)
  local key, v = text:match "^(%l+)=(.*)$"
  if not key or DEFAULTS[key] == nil then
    recipe.fail("-E %s: give header=y, separator=C, quote=d|s|n, occurrence=f|l|a or aggregator=C",
      text)
  end
  if ALLOWED[key] and not ALLOWED[key][v] then
    local known = {}
    for k in pairs(ALLOWED[key]) do known[#known + 1] = k end
    table.sort(known)
    recipe.fail("-E %s: %s is one of %s", text, key, table.concat(known, ", "))
  end
  if not ALLOWED[key] then
    v = ESCAPES[v] or v
    if #v ~= 1 then recipe.fail("-E %s: %s is one character, or /t, /s", text, key) end
  end
  into[key] = v
end

local function find(name)
  local field, near = show.find(name)
  if field then return field end
  recipe.fail("-e %s: no such field of packets%s; `sluice fields` lists them", name,
    #near > 0 and " (did you mean " .. table.concat(near, ", ") .. "?)" or "")
end

--- What the options ask for: { fields =, options = }, or nil. form: of -T.
function fields.wanted(o)
  if not o.fields then
    if o.form == "fields" then recipe.fail "-T fields wants fields: -e ip.src -e tcp.dstport …" end
    if o.field_options then recipe.fail "-E goes with -T fields -e FIELD" end
    return nil
  end
  if not FORMS[o.file and o.file:match "%.(%l+)$" or o.form] then
    recipe.fail "-e FIELD goes with -T fields, csv, tsv, json or jsonl"
  end
  local spec = { list = {}, options = setmetatable({}, { __index = DEFAULTS }) }
  for _, name in ipairs(o.fields) do spec.list[#spec.list + 1] = find(name) end
  for _, text in ipairs(o.field_options or {}) do option_of(text, spec.options) end
  return spec
end

-- A line as tshark writes it. Cells that the packet does not have are empty, without quotes.
local function like_tshark(out, spec, env)
  local o = spec.options
  local mark, n = ALLOWED.quote[o.quote], #spec.list
  local fill = show.row(spec.list, o.occurrence, o.aggregator, env)
  local cells, names = {}, {}
  for i, field in ipairs(spec.list) do names[i] = field.name end
  if o.bom == "y" then out:write "\239\187\191" end
  out.streamed = true
  if o.header == "y" then out:write(table.concat(names, o.separator) .. "\n") end
  return function(p)
    fill(p, cells)
    for i = 1, n do
      local cell = cells[i]
      cells[i] = cell and mark .. cell .. mark or ""
    end
    out:write(table.concat(cells, o.separator))
    out:write "\n"
  end
end

local function rows(out, spec, env)
  local columns, n = {}, #spec.list
  for i, field in ipairs(spec.list) do columns[i] = { name = field.name, type = "string" } end
  local stream = out:stream(columns)
  local fill = show.row(spec.list, spec.options.occurrence, spec.options.aggregator, env)
  local cells = {}
  return function(p)
    fill(p, cells)
    for i = 1, n do cells[i] = cells[i] or "" end
    stream:row(cells)
  end, function() stream:done() end
end

-- An object a packet.
local function objects(out, spec, env)
  local fill = show.row(spec.list, spec.options.occurrence, nil, env)
  local cells, keys, parts = {}, {}, {}
  for i, field in ipairs(spec.list) do keys[i] = json.encode(field.name) .. ":" end
  local as_list, before = out.form == "json", "[\n "
  local function packet(p)
    fill(p, cells)
    local n = 0
    for i = 1, #keys do
      if cells[i] then
        n = n + 1
        parts[n] = keys[i] .. json.encode(cells[i])
      end
    end
    local object = "{" .. table.concat(parts, ",", 1, n) .. "}"
    if not as_list then return out:line(object) end
    out:write(before)
    out:write(object)
    before = ",\n "
  end
  local function done()
    if as_list then out:write(before == "[\n " and "[]\n" or "\n]\n") end
  end
  out.streamed = true
  return packet, done
end

--- The packet handler and what finish has to call, or nil: no fields were asked for.
function fields.writer(out)
  local spec = out.field_spec
  if not spec then return nil end
  local geo, services = require "sluice.geo", require "sluice.services"
  local env = { country = geo.country, service = services.of }
  out.shows_fields = true
  if out.form == "fields" then return like_tshark(out, spec, env), function() end end
  if out.form == "csv" or out.form == "tsv" then return rows(out, spec, env) end
  return objects(out, spec, env)
end

return fields
