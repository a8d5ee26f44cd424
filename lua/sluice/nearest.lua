-- What a mistyped word was probably meant to be.
local nearest = {}

--- Edits (insert, delete, replace, swap of neighbours) from a to b.
function nearest.distance(a, b)
  local before, last = nil, {}
  for j = 0, #b do
    last[j] = j
  end
  for i = 1, #a do
    local row = { [0] = i }
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
      if before and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
    before, last = last, row
  end
  return last[#b]
end

--- The word of the list that is at most a third of its letters (but at least one) away, or nil.
function nearest.word(word, list)
  local best, least = nil, math.max(1, math.floor(#word / 3)) + 1
  for _, w in ipairs(list) do
    local edits = nearest.distance(word, w)
    if edits < least then best, least = w, edits end
  end
  return best
end

return nearest
