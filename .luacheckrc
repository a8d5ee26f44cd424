-- luacheck's settings: LuaJIT's own library, no globals but those that sluice gives to recipes.
std = "luajit"
max_line_length = 100
exclude_files = { "build", "node_modules" }

-- A recipe may use these; sluice sets them (lua/README.md).
local recipe = {
  "sum", "count", "min", "max", "mean", "top", "distinct", "quantile", "histogram", "series",
  "sample", "hosts", "largest", "estimate", "addr", "net", "geo", "services", "stop",
}
files["lua/recipes"] = { read_globals = recipe }
files["examples"] = { read_globals = recipe }
files["tests"] = { read_globals = recipe }
