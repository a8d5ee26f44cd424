-- URLs that stand in no process list: a line each, in a file, on standard input or in a variable.
local recipe = require "sluice.recipe"

local url_file = {}

--- Appends the URLs of a text to a list; empty lines and those with # in front are none.
function url_file.add(text, list)
  for line in text:gmatch "[^\r\n]+" do
    line = line:gsub("^%s+", ""):gsub("%s+$", "")
    if line ~= "" and line:sub(1, 1) ~= "#" then list[#list + 1] = line end
  end
end

--- Appends those of --url-file: path, or "-" for standard input.
function url_file.read(path, list)
  local file, why = io.stdin, nil
  if path ~= "-" then file, why = io.open(path, "r") end
  if not file then recipe.fail("--url-file: %s", why) end
  local text, problem = file:read "*a"
  if file ~= io.stdin then file:close() end
  if not text then recipe.fail("--url-file: %s", problem) end
  url_file.add(text, list)
end

return url_file
