-- Several recipes as one: which run, each once, and where their views stand.
--
-- A recipe with `sections` instead of `start` is a suite: a list of { "Title", item, … }, where an
-- item is a recipe ("hours"), one of its views ("addresses:top_talkers"), or another suite.
local recipe = require "sluice.recipe"

local suite = {}

local function check(r)
  for _, section in ipairs(r.sections) do
    for i, item in ipairs(type(section) == "table" and section or { false }) do
      if type(item) ~= "string" then
        recipe.fail("recipe %s: a section is a list of texts: a title, then recipes or "
          .. "recipe:view; item %d is none", r.name, i)
      end
    end
  end
end

local Plan = {}
Plan.__index = Plan

function Plan:recipe(name, load)
  if not self.by_name[name] then
    local r = load(name)
    self.by_name[name] = r
    if not r.sections then self.recipes[#self.recipes + 1] = r end
  end
  return self.by_name[name]
end

-- Adds what an item stands for to a section.
function Plan:item(section, item, load, depth)
  local name, view = item:match "^([^:]+):?(.*)$"
  local r = self:recipe(name, load)
  if not r.sections then
    section.items[#section.items + 1] = { recipe = name, view = view ~= "" and view or nil }
    return
  end
  if depth > 4 then recipe.fail("recipe %s: suites inside one another without end", name) end
  check(r)
  for _, inner in ipairs(r.sections) do
    for i = 2, #inner do self:item(section, inner[i], load, depth + 1) end
  end
end

--- What names stand for: named, the recipes of these names; recipes, those that run, each once;
--- options, what suites declare; sections of a page, { title =, items = { { recipe =, view = or
--- nil }, … } }. load(name) gives a loaded recipe. is_suite: views stand together, so none may be
--- written as it comes.
function suite.plan(names, load)
  local plan = setmetatable({ recipes = {}, named = {}, by_name = {}, sections = {},
    options = {} }, Plan)
  for i, name in ipairs(names) do
    local r = plan:recipe(name, load)
    plan.named[i] = r
    if r.sections then
      plan.is_suite = true
      for option, spec in pairs(r.options) do plan.options[option] = spec end
      check(r)
    end
    local own = name:match("[^/]*$"):gsub("%.lua$", ""):gsub("^%l", string.upper)
    for _, section in ipairs(r.sections or { { own, name } }) do
      local made = { title = section[1], items = {} }
      plan.sections[#plan.sections + 1] = made
      for k = 2, #section do plan:item(made, section[k], load, 1) end
    end
  end
  plan.by_name = nil
  return plan
end

--- The same of one recipe that is there already.
function suite.single(r)
  return { recipes = { r }, named = { r }, options = {},
    sections = { { title = r.name, items = { { recipe = r.name } } } } }
end

--- The views of each section, in the order of its items: { { title =, views = { … } }, … }.
function suite.arranged(plan, views)
  local out = {}
  for i, section in ipairs(plan.sections) do
    local list = {}
    for _, item in ipairs(section.items) do
      for _, view in ipairs(views) do
        local wanted = view.recipe == item.recipe and (not item.view or item.view == view.name)
        if wanted then list[#list + 1] = view end
      end
    end
    out[i] = { title = section.title, views = list }
  end
  return out
end

return suite
