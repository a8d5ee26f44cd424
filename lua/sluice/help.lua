-- The texts of --help, --version and `sluice recipes`: made from what options and recipes declare.
local cli = require "sluice.cli"

local help = {}

local function show(lines)
  local ok, why = io.stdout:write(table.concat(lines, "\n"), "\n")
  if ok then ok, why = io.stdout:flush() end
  if not ok then return 2, "cannot write the result: " .. why end
  return 0
end

local USAGE = [[
usage: sluice RECIPE[,RECIPE...] [OPTION]... [INPUT]...
       sluice eval 'LUA' [OPTION]... [INPUT]...
       sluice merge RECIPE[,RECIPE...] [OPTION]... FILE...
       sluice plan RECIPE[,RECIPE...] [OPTION]... INPUT... > PLAN
       sluice RECIPE --piece K PLAN --partial FILE
       sluice recipes | fields [NAME]
       sluice new NAME                    a recipe of your own to begin with
       sluice check FILE.lua [INPUT]...   what would surprise you later
       sluice RECIPE --help
       sluice [OPTION]... [INPUT]...      lists the packets

RECIPE is a built-in name or a path ending in .lua. INPUT is a path, - for standard input, or an
http(s) URL, which is read by range requests. Several inputs are one capture. merge adds up the
FILEs that --partial has written, as if one run had read all their inputs. plan cuts large inputs
into pieces, for many machines to count.

options:]]

local EXIT_STATUS = [[

exit status: 0 done; 1 an input could not be read to its end (what was read is reported);
2 usage, recipe or filter error; 130 interrupted, with the result so far.]]

--- sluice --help
function help.program(version)
  local what = "sluice " .. version .. ": a streaming filter and analyser for packet captures"
  local lines = { what, "", USAGE }
  for _, line in ipairs(cli.common_help()) do lines[#lines + 1] = line end
  lines[#lines + 1] = EXIT_STATUS
  return show(lines)
end

-- A suite takes the options of all that it is made of.
local function options_of(r, plan)
  if not r.sections then return r.options end
  local all = {}
  for _, of in ipairs { plan.options, unpack(plan.recipes) } do
    for name, spec in pairs(of.options or of) do all[name] = spec end
  end
  return all
end

--- sluice RECIPE --help
function help.recipe(plan)
  local lines = {}
  for i, r in ipairs(plan.named) do
    if i > 1 then lines[#lines + 1] = "" end
    lines[#lines + 1] = ("usage: sluice %s [OPTION]... [INPUT]..."):format(r.name)
    lines[#lines + 1] = ""
    lines[#lines + 1] = r.about or "a recipe without a description"
    if r.filter then lines[#lines + 1] = "over packets that pass: " .. r.filter end
    local declared = cli.declared_help(options_of(r, plan))
    if #declared > 0 then
      lines[#lines + 1] = ""
      lines[#lines + 1] = "options of its own:"
      for _, line in ipairs(declared) do lines[#lines + 1] = line end
    end
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "common options: see sluice --help"
  return show(lines)
end

--- sluice recipes
function help.recipes(recipes)
  local lines = {}
  for _, r in ipairs(recipes) do
    lines[#lines + 1] = ("%-12s %s"):format(r.name, r.about or "")
  end
  return show(lines)
end

--- sluice fields [BEGINNING]...: the fields of -Y and -e, and of -F.
function help.fields(beginnings)
  local registry = require "sluice.filter.registry"
  local lines = {}
  local function wanted(name)
    for _, beginning in ipairs(beginnings) do
      if name:sub(1, #beginning) == beginning then return true end
    end
    return #beginnings == 0
  end
  for _, mode in ipairs { "packet", "flow" } do
    for _, field in ipairs(registry.list(mode)) do
      if wanted(field.name) then
        lines[#lines + 1] = ("%-28s %-10s %s"):format(field.name, registry.kind(field), field.about)
      end
    end
  end
  if #lines == 0 then
    return 2, ("no field begins with %s: `sluice fields` lists all"):format(
      table.concat(beginnings, " or "))
  end
  return show(lines)
end

--- sluice --version
function help.version(version, libraries)
  return show { "sluice " .. version, libraries }
end

return help
