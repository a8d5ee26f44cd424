-- -z: tshark's statistics as recipes, for who has them in scripts.
--
--   conv,TYPE       endpoints,TYPE     TYPE: eth, ip, ipv6, tcp, udp or sctp
--   io,stat,INTERVAL[,FILTER]…         seconds; display filters
--   io,phs                             protocols to layer 4
-- Packets inside tunnels count too, beside those that carry them, as tshark has it.
local ffi = require "ffi"
local aggregate = require "sluice.aggregate"
local ends = require "sluice.statistics.ends"
local nearest = require "sluice.nearest"
local recipe = require "sluice.recipe"

local statistics = {}

local KNOWN = { "conv", "endpoints", "io" }

-- At commas, but not within braces, brackets or quotes: filters have sets.
local function words_of(text)
  local words, depth, quoted, from = {}, 0, false, 1
  for i = 1, #text do
    local c = text:sub(i, i)
    if c == '"' then quoted = not quoted end
    if not quoted and c:find "[{%[(]" then depth = depth + 1 end
    if not quoted and c:find "[}%])]" then depth = depth - 1 end
    if c == "," and depth <= 0 and not quoted then
      words[#words + 1] = text:sub(from, i - 1)
      from = i + 1
    end
  end
  words[#words + 1] = text:sub(from)
  return words
end

local function ends_of(make, text, kind)
  local handlers = kind and make(kind)
  if handlers then return handlers end
  recipe.fail("-z %s: the types are %s", text, table.concat(ends.types, ", "))
end

local function io_of(text, words)
  local io_statistics = require "sluice.statistics.io"
  if words[2] == "phs" and #words <= 3 then
    return io_statistics.hierarchy(), words[3] ~= "" and words[3] or nil
  end
  local seconds = words[2] == "stat" and tonumber(words[3])
  if not seconds or seconds < 0 or (seconds > 0 and seconds < 1e-6) then
    recipe.fail("-z %s: give io,stat,SECONDS[,FILTER…] or io,phs", text)
  end
  return io_statistics.stat(seconds, { unpack(words, 4) })
end

local function start_of(text)
  local words = words_of(text)
  local what = words[1]
  if what == "conv" then return ends_of(ends.conversations, text, words[2]), words[3] end
  if what == "endpoints" then return ends_of(ends.endpoints, text, words[2]), words[3] end
  if what == "io" then return io_of(text, words) end
  local near = nearest.word(what, KNOWN)
  recipe.fail("-z %s: there are conv,TYPE, endpoints,TYPE, io,stat,SECONDS and io,phs%s", text,
    near and (" (did you mean %s?)"):format(near) or "")
end

--- A recipe for each -z; a filter behind it (conv,tcp,FILTER) is the recipe's.
function statistics.recipes(texts)
  local list = {}
  for i, text in ipairs(texts) do
    local handlers, filter = start_of(text)
    list[i] = { name = "-z " .. text, about = "tshark's -z " .. text, options = {}, open = true,
      make = aggregate.new { C = ffi.C }, filter = filter, inside = true,
      start = function() return handlers end }
  end
  return list
end

return statistics
