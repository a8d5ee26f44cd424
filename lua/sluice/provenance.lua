-- Where a page comes from: what was run, over what, with which data. Nothing in it depends on the
-- time of day, so that the same command over the same input gives the same page.
local geo = require "sluice.geo"
local sha256 = require "sluice.sha256"
local units = require "sluice.units"

local provenance = {}

-- A URL's query may hold a token, and its authority a password.
local function redacted(word)
  if not word:find "^%a[%w+.-]*://" then return word end
  return (word:gsub("^(%a[%w+.-]*://)[^/@]*@", "%1…@"):gsub("%?.*$", "?…"))
end

local function quoted(word)
  word = redacted(word)
  if word:find "^[%w%+%-%./:=,_@…]+$" then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- The command line as a shell would read it, secrets redacted.
function provenance.command(arguments)
  local words = { "sluice" }
  for i, word in ipairs(arguments) do words[i + 1] = quoted(word) end
  return table.concat(words, " ")
end

local function content(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

local function recipes_of(plan)
  local lines = {}
  for _, r in ipairs(plan.recipes) do
    local text = r.path and content(r.path)
    lines[#lines + 1] = r.name .. (text and "  SHA-256 " .. sha256.hex(text):sub(1, 16) or "")
  end
  return lines
end

-- A size, or what a server calls its version, says whether it is still the same one; of pipes there
-- is none. run.sizes and run.etags: by input; a merge has none.
local function inputs_of(run)
  local lines = {}
  for i, name in ipairs(run.inputs) do
    local size, etag = (run.sizes or {})[i] or -1, (run.etags or {})[i]
    local said = ("  %s (%.0f bytes)"):format(units.format(size, "bytes"), size)
    lines[i] = name .. (size >= 0 and said or "") .. (etag and "  ETag " .. etag or "")
  end
  return lines
end

-- Names of files only: where they lie on this machine is nobody's business.
local function databases()
  local lines = {}
  for i, x in ipairs(geo.databases()) do
    lines[i] = ("%s  %s, built %s"):format(x[1]:match "[^/]*$", x[2], units.date(x[3]))
  end
  return lines
end

local FILTERS = { { "bpf", "-f" }, { "display", "-Y" }, { "flow_filter", "-F" },
  { "from", "--from" }, { "to", "--to" }, { "count", "-c" }, { "sample", "--sample" },
  { "seed", "--seed" } }

--- What narrowed the result, as the command line says it; nil: nothing did.
function provenance.filters(options)
  local lines = {}
  for _, f in ipairs(FILTERS) do
    local v = options[f[1]]
    if v then lines[#lines + 1] = f[2] .. " " .. tostring(v) end
  end
  return #lines > 0 and lines or nil
end

--- Rows of a page's section: { name, text or list of lines }, … run: sluice.info.
function provenance.rows(options, plan, run)
  local rows = { { "Command", provenance.command(options.arguments) },
    { "Version", "sluice " .. options.version },
    { #run.inputs == 1 and "Input" or "Inputs", inputs_of(run) },
    { "Filters", provenance.filters(options) or "none: every packet and flow" },
    { "Recipes", recipes_of(plan) }, { "Databases", databases() } }
  if options.defaults then table.insert(rows, 2, { "Defaults", options.defaults }) end
  return rows
end

return provenance
