-- The command line: tcpdump's and tshark's letters wherever the meaning is the same, and the
-- options that recipes declare.
local config = require "sluice.config"
local nearest = require "sluice.nearest"

local cli = {}

local function fail(format, ...)
  error({ code = 2, message = format:format(...) }, 0)
end

-- value: what the option takes (its name in the help); nil: a switch.
local COMMON = {
  { "r", key = "input", value = "INPUT", about = "read INPUT: a path, - or a URL", many = true },
  { "i", key = "interface", value = "IFACE", about = "capture from an interface (-D lists them)" },
  { "D", key = "interfaces", about = "list the interfaces" },
  { "p", key = "not_promiscuous", about = "with -i: only packets for this machine" },
  { "s", key = "snaplen", value = "N", number = 0, most = 262144,
    about = "with -i: keep the first N bytes of each packet; 0: all" },
  { "a", key = "autostop", value = "duration:S", about = "with -i: end after S seconds" },
  { "Z", key = "user", value = "USER",
    about = "with -i, as root: go on as USER (default: sudo's user, or nobody)" },
  { "f", key = "bpf", value = "BPF", about = "libpcap filter expression, on the raw packet" },
  { "Y", key = "display", value = "EXPR", about = "Wireshark display filter over packet fields" },
  { "F", key = "flow_filter", value = "EXPR", about = "the same over fields of decided flows" },
  { "c", key = "count", value = "N", number = 1, about = "stop after N packets that pass" },
  { long = "from", key = "from", value = "TIME",
    about = "packets from then on: 2026-11-24T06:30:00Z, epoch, +90s from the first" },
  { long = "follow", key = "follow",
    about = "wait for more at the end of an input that grows, until Ctrl-C" },
  { long = "sample", key = "sample", value = "P%",
    about = "read a part such as 1% in blocks chosen by chance, and estimate the whole" },
  { long = "seed", key = "seed", value = "N", number = 0,
    about = "with --sample: another number, other blocks (default 1)" },
  { long = "to", key = "to", value = "TIME", about = "packets before then" },
  { "w", key = "write", value = "FILE",
    about = "write the packets that pass: .pcap .pcapng, with .gz or .zst; - for a pipe" },
  { "b", key = "split", value = "WHAT:N", many = true,
    about = "split -w at filesize:kB, duration:S or packets:N; keep files:N" },
  { long = "per-flow", key = "per_flow", value = "DIR", about = "write a file for each flow" },
  { "l", key = "flush", about = "what -w writes reaches the other end of a pipe at once" },
  { "T", key = "form", value = "FORM",
    about = "text (default), json, jsonl, csv, tsv, fields (-e), zeek (of flows)" },
  { "e", key = "fields", value = "FIELD", many = true,
    about = "with -T fields, csv, tsv, json or jsonl: a column for FIELD" },
  { "E", key = "field_options", value = "KEY=VALUE", many = true,
    about = "with -T fields, as tshark: header=y, separator=, quote=, …" },
  { "z", key = "statistics", value = "WHAT", many = true,
    about = "tshark's conv,TYPE endpoints,TYPE io,stat,SECONDS[,FILTER] io,phs" },
  { "t", key = "time_form", value = "FORM",
    about = "times of the packet list: r (default), a, ad, d, dd, e, u, ud, as tshark" },
  { "o", key = "file", value = "FILE",
    about = "write to FILE: .html .png .svg .pdf .txt .csv .tsv .json .jsonl .sqlite" },
  { long = "decap", key = "decap",
    about = "look inside tunnels: IP in IP, GRE, VXLAN, Geneve, GTP-U, Teredo" },
  { long = "geo", key = "geo", value = "FILE.mmdb", many = true,
    about = "MaxMind DB of countries, cities or AS numbers" },
  { long = "idle", key = "idle", value = "SECONDS", number = 0,
    about = "flow idle timeout (default: TCP 300, others 60); 0: never" },
  { long = "max-flows", key = "max_flows", value = "N", number = 1, most = 2 ^ 31 - 1,
    about = "cap on live flows: the longest idle is ended early" },
  { long = "lua-memory", key = "lua_memory", value = "MIB", number = 16, most = 2 ^ 24,
    about = "what Lua's tables and texts may take (default 1024)" },
  { long = "top", key = "top", value = "N", number = 1,
    about = "rows of a view in text and charts" },
  { long = "theme", key = "theme", value = "light|dark", about = "colors of pictures" },
  { long = "partial", key = "partial", value = "FILE",
    about = "write what was counted to FILE, for sluice merge, instead of the result" },
  { long = "checkpoint", key = "checkpoint", value = "FILE",
    about = "what a run that ends early has read: the same command goes on" },
  { long = "piece", key = "piece", value = "K", number = 1,
    about = "with --partial: only piece K of the PLAN that is given as input" },
  { long = "pieces", key = "pieces", value = "N", number = 1,
    about = "of sluice plan: about so many pieces of equal size" },
  { long = "piece-size", key = "piece_size", value = "BYTES",
    about = "of sluice plan: pieces of so many bytes; k, M or G behind it (default 1G)" },
  { long = "size", key = "size", value = "WxH", about = "size of pictures in pixels" },
  { long = "url-file", key = "url_file", value = "FILE",
    about = "read URLs from FILE or -, one a line: no token in the process list" },
  { long = "in-flight", key = "in_flight", value = "N", number = 1, most = 64,
    about = "requests at once to an HTTP server (default 8)" },
  { "j", key = "workers", value = "N", number = 1, most = 256,
    about = "workers; default: the cores, where recipe and input allow (-v: why not)" },
  { long = "split", key = "split_bytes", value = "BYTES", number = 1,
    about = "bytes of the capture that a worker takes at a time (1 MiB)" },
  { "q", key = "quiet", about = "no progress line" },
  { "v", key = "verbose", about = "say more on standard error" },
  { long = "no-config", key = "no_config",
    about = "without the defaults of $XDG_CONFIG_HOME/sluice/config" },
  { "h", long = "help", key = "help", about = "this text" },
  { long = "version", key = "version", about = "version and libraries" },
}

-- What people who come from tcpdump and tshark type out of habit: with nothing to do here …
local ALREADY_SO = { n = true, l = true } -- no names are looked up; lines go out as they come
-- … and where it is.
local TSHARK = "sluice does not dissect; tshark does: sluice -Y … -w - IN | tshark -r - -%s"
local ELSEWHERE = {
  V = TSHARK:format "V", x = TSHARK:format "x", X = TSHARK:format "x",
  O = TSHARK:format "O …", G = "sluice fields lists the fields",
  R = "the filter over packets is -Y", A = "sluice eval has p.payload",
}

local by_short, by_long = {}, {}
for _, o in ipairs(COMMON) do
  if o[1] then by_short[o[1]] = o end
  if o.long then by_long[o.long] = o end
end

local function hint(word, list, mark)
  local near = nearest.word(word, list)
  return near and ("; did you mean %s%s?"):format(mark, near) or ""
end

local function number_of(name, text, least, most)
  local n = tonumber(text)
  if not n or n < least or n > (most or 2 ^ 53) or n % 1 ~= 0 then
    fail("%s takes a whole number from %d %s, not '%s'", name, least,
      most and ("to %d"):format(most) or "on", text)
  end
  return n
end

local function set(options, o, name, text)
  if o.many then
    options[o.key] = options[o.key] or {}
    table.insert(options[o.key], text)
  elseif o.value then
    options[o.key] = o.number and number_of(name, text, o.number, o.most) or text
  else
    options[o.key] = true
  end
end

-- A recipe's option takes the type of its default.
local function set_declared(declared, name, text, next_word)
  local default = declared[name].default
  if type(default) == "boolean" then
    if text == nil or text == "true" then return true end
    if text == "false" then return false end
    fail("--%s is a switch: --%s or --%s=false", name, name, name)
  end
  text = text or next_word()
  if type(default) == "number" then
    local n = tonumber(text)
    if not n then fail("--%s takes a number, not '%s'", name, text) end
    return n
  end
  return text
end

local function long_names(declared)
  local names = {}
  for name in pairs(by_long) do names[#names + 1] = name end
  for name in pairs(declared) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- What the recipes' own options are, for who got one wrong.
local function listed(declared)
  local names = {}
  for name in pairs(declared) do names[#names + 1] = "--" .. name:gsub("_", "-") end
  table.sort(names)
  if #names == 0 then return "" end
  return (" (the recipe has %s)"):format(table.concat(names, ", "))
end

local Parser = {}
Parser.__index = Parser

function Parser:next_word(name)
  self.at = self.at + 1
  local word = self.args[self.at]
  if word == nil then fail("%s wants a value", name) end
  return word
end

function Parser:long(word)
  local name, text = word:match "^%-%-([^=]+)=(.*)$"
  name = name or word:sub(3)
  local declared = self.declared[name:gsub("-", "_")] and name:gsub("-", "_")
  if declared then
    self.recipe_options[declared] = set_declared(self.declared, declared, text,
      function() return self:next_word(word) end)
  end
  local o = by_long[name]
  if not o then
    if declared then return end
    fail("unknown option --%s%s%s", name, listed(self.declared),
      hint(name, long_names(self.declared), "--"))
  end
  if o.value and not declared then text = text or self:next_word(word) end
  if declared then text = tostring(self.recipe_options[declared]) end
  if not o.value and text then fail("--%s takes no value", name) end
  set(self.options, o, "--" .. name, text)
end

-- -c10, -c 10, -qv
function Parser:short(word)
  local at = 2
  while at <= #word do
    local letter = word:sub(at, at)
    local o = by_short[letter]
    if not o and not ALREADY_SO[letter] then
      fail("unknown option -%s: %s", letter, ELSEWHERE[letter] or "see sluice --help")
    elseif o and o.value then
      local text = word:sub(at + 1)
      if text == "" then text = self:next_word("-" .. letter) end
      set(self.options, o, "-" .. letter, text)
      return
    elseif o then
      set(self.options, o, "-" .. letter)
    end
    at = at + 1
  end
end

-- What the command line says counts.
function Parser:defaults(list)
  local said = {}
  for key in pairs(self.options) do said[key] = true end
  for _, d in ipairs(list) do
    local o = by_long[d.name]
    if not o then
      fail("%s: unknown option %s%s", d.where, d.name, hint(d.name, long_names {}, ""))
    end
    if (o.value == nil) ~= (d.value == nil) then
      fail("%s: %s %s", d.where, d.name, o.value and "wants a value" or "takes no value")
    end
    if not said[o.key] then
      local told = self.options.defaults or {}
      told[#told + 1] = d.name .. (d.value and " = " .. d.value or "")
      self.options.defaults = told
      set(self.options, o, d.where .. ": " .. d.name, d.value)
      local declared = d.name:gsub("-", "_")
      if self.declared[declared] then
        self.recipe_options[declared] = set_declared(self.declared, declared, d.value)
      end
    end
  end
end

--- Reads the command line, and the user's defaults. resolve(word, is_first) is asked about the
--- first word that is no option: it returns the options that the recipes so chosen declare, or nil
--- when the word is an input.
--- Returns { options, recipe_options, inputs }.
function cli.parse(args, resolve)
  local p = setmetatable({ args = args, at = 0, options = {}, recipe_options = {}, declared = {},
    inputs = {} }, Parser)
  local first, only_inputs = true, false
  while p.at < #args do
    p.at = p.at + 1
    local word = args[p.at]
    if only_inputs or word == "-" or word:sub(1, 1) ~= "-" then
      local declared = first and resolve(word, p) or nil
      first = false
      if declared then p.declared = declared else p.inputs[#p.inputs + 1] = word end
    elseif word == "--" then
      only_inputs = true
    elseif word:sub(1, 2) == "--" then
      p:long(word)
    else
      p:short(word)
    end
  end
  for _, name in ipairs(p.options.input or {}) do p.inputs[#p.inputs + 1] = name end
  if not p.options.no_config then p:defaults(config.read()) end
  return p
end

local function option_line(left, about)
  if #left > 22 then return ("  %s\n%26s%s"):format(left, "", about) end
  return ("  %-22s  %s"):format(left, about)
end

--- The lines of help for the common options.
function cli.common_help()
  local lines = {}
  for _, o in ipairs(COMMON) do
    local short = o[1] and "-" .. o[1]
    local long = o.long and "--" .. o.long
    local left = (short and long and short .. ", " .. long or short or long)
      .. (o.value and " " .. o.value or "")
    lines[#lines + 1] = option_line(left, o.about)
  end
  return lines
end

--- The lines of help for what a recipe declares.
function cli.declared_help(declared)
  local names, lines = {}, {}
  for name in pairs(declared) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local spec = declared[name]
    local default = spec.default
    local left = "--" .. name:gsub("_", "-")
    if type(default) ~= "boolean" then
      left = left .. " " .. (type(default) == "number" and "N" or "TEXT")
    end
    lines[#lines + 1] = option_line(left, ("%s (default %s)"):format(spec.about or "",
      tostring(default)))
  end
  return lines
end

return cli
