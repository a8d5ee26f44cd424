-- Field names: look-up, the nearest ones to a wrong name, the table for the documentation.
-- The enumerations of src/abi.h must have been given to ffi.cdef before the first look-up.

local SOURCES = { packet = "sluice.filter.packet_fields", flow = "sluice.filter.flow_fields" }
local NEAREST = 5

local nearest = require "sluice.nearest"

local registry = {}
local loaded = {} -- mode -> { list =, by_name = }: constant once built

local function load(mode)
  if not loaded[mode] then
    local fields = { list = {}, by_name = {} }
    local function add(field)
      fields.list[#fields.list + 1] = field
      fields.by_name[field.name] = field
    end
    for _, group in ipairs(require(SOURCES[mode])) do
      group(add)
    end
    loaded[mode] = fields
  end
  return loaded[mode]
end

function registry.find(mode, name)
  return load(mode).by_name[name]
end

-- All fields in order of definition.
function registry.list(mode)
  return load(mode).list
end

-- Names like `name`, nearest first: few edits, or one begins with the other, or the same last
-- part (port -> tcp.port).
function registry.nearest(mode, name)
  local low, found = name:lower():sub(1, 64), {}
  local limit = math.max(1, math.min(3, math.floor(#low / 3)))
  for _, field in ipairs(load(mode).list) do
    local edits = nearest.distance(low, field.name)
    if edits > limit then
      if field.name:sub(1, #low) == low then
        edits = limit + 1
      elseif #low > 2 and field.name:sub(-#low - 1) == "." .. low then
        edits = limit + 2
      end
    end
    if edits <= limit + 2 and (edits <= limit or #low > 1) then
      local starts = field.name:sub(1, #low) == low or field.name:sub(-#low) == low
      if edits <= limit or starts then
        found[#found + 1] = { field.name, edits }
      end
    end
  end
  table.sort(found, function(a, b)
    if a[2] ~= b[2] then
      return a[2] < b[2]
    end
    return a[1] < b[1]
  end)
  local names = {}
  for i = 1, math.min(NEAREST, #found) do
    names[i] = found[i][1]
  end
  return names
end

--- A field's type in words.
function registry.kind(field)
  return field.boolean and "boolean" or field.type
end

-- The fields of a mode as a Markdown table.
function registry.markdown(mode)
  local rows = { "| field | type | meaning |", "| --- | --- | --- |" }
  for _, field in ipairs(load(mode).list) do
    local kind = registry.kind(field)
    if #field.alts > 1 then
      kind = ("%s, %s%d values"):format(kind, field.alts[2].present and "up to " or "", #field.alts)
    end
    rows[#rows + 1] = ("| `%s` | %s | %s |"):format(field.name, kind, field.about)
  end
  return table.concat(rows, "\n") .. "\n"
end

return registry
