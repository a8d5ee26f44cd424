-- Where recipes stand: the built-in ones beside sluice's own files, then the folders of
-- $SLUICE_PATH, then the user's own, $XDG_CONFIG_HOME/sluice/recipes (~/.config where that is not
-- set). A built-in name always means the built-in recipe, so that a script's result does not
-- depend on whose machine it runs on.
local ffi = require "ffi"
local C = require("sluice.abi").C

local places = {}

local SIZE = 65536

local function readable(path)
  local file = io.open(path, "r")
  if file then file:close() end
  return file ~= nil
end

--- The folders beside the built-in one, in the order in which they are searched.
function places.folders()
  local list = {}
  for path in (os.getenv "SLUICE_PATH" or ""):gmatch "[^:]+" do list[#list + 1] = path end
  local config, home = os.getenv "XDG_CONFIG_HOME", os.getenv "HOME"
  if not config or config == "" then config = home and home .. "/.config" end
  if config then list[#list + 1] = config .. "/sluice/recipes" end
  return list
end

--- Where the recipe of that name stands, or nil: a path that ends in .lua, or a name.
function places.find(folder, name)
  if name:match "%.lua$" then return name end
  if not name:match "^%l[%w_-]*$" then return nil end
  local path = ("%s/recipes/%s.lua"):format(folder, name)
  if readable(path) then return path end
  for _, at in ipairs(places.folders()) do
    path = ("%s/%s.lua"):format(at, name)
    if readable(path) then return path end
  end
  return nil
end

--- The names of recipes in these folders that are not in known.
function places.names(known)
  local names, seen, text = {}, {}, ffi.new("char[?]", SIZE)
  for _, name in ipairs(known) do seen[name] = true end
  for _, at in ipairs(places.folders()) do
    C.sl_folder_list(at, ".lua", text, SIZE)
    for name in ffi.string(text):gmatch "(%l[%w_-]*)%.lua\n" do
      if not seen[name] then names[#names + 1] = name end
      seen[name] = true
    end
  end
  return names
end

--- require for a recipe at path: its own folder comes first, then Lua's. Modules see what the
--- recipe sees, env, and are loaded once for it.
function places.require(path, env)
  local loaded, folder = {}, path:match "^(.*/)[^/]*$" or ""
  return function(name)
    if loaded[name] ~= nil then return loaded[name] end
    local file = folder .. tostring(name):gsub("%.", "/") .. ".lua"
    if not readable(file) then return require(name) end
    local chunk, why = loadfile(file)
    if not chunk then error(why, 0) end
    local module = setfenv(chunk, env)(name)
    loaded[name] = module == nil and true or module
    return loaded[name]
  end
end

return places
