-- Defaults of a user: the long options that stand in $XDG_CONFIG_HOME/sluice/config (XDG Base
-- Directory Specification; ~/.config where that is not set), one a line:
--
--   # my databases
--   geo = /usr/share/GeoIP/GeoLite2-City.mmdb
--   decap
local recipe = require "sluice.recipe"

local config = {}

--- Where the file would be, or nil.
function config.path()
  local folder, home = os.getenv "XDG_CONFIG_HOME", os.getenv "HOME"
  if folder and folder:sub(1, 1) == "/" then return folder .. "/sluice/config" end
  return home and home ~= "" and home .. "/.config/sluice/config" or nil
end

--- What it says: { { name =, value = text or nil, where = "path line n" }, … }. No file: nothing.
function config.read()
  local path, list = config.path(), {}
  local file = path and io.open(path, "r")
  if not file then return list end
  local number = 0
  for line in file:lines() do
    number = number + 1
    line = line:gsub("^%s+", ""):gsub("%s+$", "")
    if line ~= "" and line:sub(1, 1) ~= "#" then
      local name, value = line:match "^([%a][%w-]*)%s*=%s*(.+)$"
      name = name or line:match "^[%a][%w-]*$"
      local where = ("%s line %d"):format(path, number)
      if not name then
        recipe.fail("%s: neither 'option = value' nor 'option': %s", where, line)
      end
      list[#list + 1] = { name = name, value = value, where = where }
    end
  end
  file:close()
  return list
end

return config
