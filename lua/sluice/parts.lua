-- The parts that partial results consist of (sluice.partial), in the order of the capture; and
-- whether they are all there and fit together. Parts of a plan (sluice.plan) stand by the numbers
-- of their pieces, others by their first packets.
local partial = require "sluice.partial"

local parts = {}

local refuse = partial.refuse

--- All parts as they stand in the files: { part, file }.
function parts.as_they_stand(files)
  local list = {}
  for _, file in ipairs(files) do
    for _, part in ipairs(file.parts) do list[#list + 1] = { part, file } end
  end
  return list
end

-- ---- pieces of a plan ----

-- A piece may have been run twice, and both results be given: the same is left out. Fails where
-- they differ, or where the other copy cannot be told apart from what it was merged with.
local function without_copies(files)
  local seen, left = {}, {}
  for _, file in ipairs(files) do
    local copy = nil
    for _, part in ipairs(file.parts) do
      local number = part.piece.number
      local before = seen[number]
      if before and before[1].digest ~= part.digest then
        refuse(file.path, "its piece %d counts something else than that in %s: run it again",
          number, before[2].path)
      end
      if before then copy = before[2].path end
      seen[number] = before or { part, file }
    end
    if copy and #file.parts > 1 then
      refuse(file.path, "it holds pieces that are in %s, too: give each once", copy)
    end
    if not copy then left[#left + 1] = file end
  end
  return left
end

-- Where one piece ended the next must have begun, as the input was known there.
local function check_seam(left, right)
  local a, b = left[1].piece, right[1].piece
  if b.number ~= a.number + 1 or b.input ~= a.input then return end
  if a.stop ~= b.start then
    refuse(right[2].path, "piece %d begins at byte %d, but piece %d ended at byte %d%s: make the "
      .. "plan again with other pieces", b.number, b.start, a.number, a.stop,
      left[1].status ~= 0 and ", before its end" or "")
  end
  if a.stop_state ~= b.start_state or not b.own_time then
    refuse(right[2].path, "piece %d cannot be read without piece %d before it (interfaces or "
      .. "sections that begin there, or packets without time): plan this input in one piece",
      b.number, a.number)
  end
end

local function check_plan(list)
  local plan = list[1][1].piece
  for _, part in ipairs(list) do
    local piece = part[1].piece
    if not piece then
      refuse(part[2].path, "it is no piece of a plan, %s is", list[1][2].path)
    elseif piece.plan ~= plan.plan then
      refuse(part[2].path, "it is a piece of another plan than %s", list[1][2].path)
    end
  end
end

local function check_complete(list, number_of_pieces)
  local missing = {}
  for i = 1, number_of_pieces do missing[i] = true end
  for _, part in ipairs(list) do missing[part[1].piece.number] = nil end
  local numbers = {}
  for i in pairs(missing) do numbers[#numbers + 1] = i end
  if #numbers == 0 then return end
  table.sort(numbers)
  local shown = table.concat(numbers, ", ", 1, math.min(#numbers, 10))
  error({ code = 1, message = ("piece%s %s%s of %d %s missing: run sluice RECIPE --piece %d PLAN "
    .. "--partial FILE"):format(#numbers > 1 and "s" or "", shown, #numbers > 10 and ", …" or "",
      number_of_pieces, #numbers > 1 and "are" or "is", numbers[1]) }, 0)
end

local function order_plan(files, partly)
  check_plan(parts.as_they_stand(files))
  files = without_copies(files)
  local list = parts.as_they_stand(files)
  table.sort(list, function(a, b) return a[1].piece.number < b[1].piece.number end)
  for i = 2, #list do check_seam(list[i - 1], list[i]) end
  if not partly then check_complete(list, list[1][1].piece.pieces) end
  return files, list
end

-- ---- whole captures ----

local function order_by_time(files)
  local list = parts.as_they_stand(files)
  for i, part in ipairs(list) do
    part.at, part.time = i, tonumber(part[1].statistics.first or "inf")
  end
  table.sort(list, function(a, b)
    if a.time ~= b.time then return a.time < b.time end
    return a.at < b.at
  end)
  return files, list
end

--- The files whose counts are to be added up, and their parts in order, { part, file } each.
--- partly: pieces of the plan may be missing.
function parts.order(files, partly)
  for _, part in ipairs(parts.as_they_stand(files)) do
    if part[1].piece then
      local kept, list
      partial.believe(part[2].path, function() kept, list = order_plan(files, partly) end)
      return kept, list
    end
  end
  return order_by_time(files)
end

--- The names of two neighbours that are of different inputs and overlap in time, or nil.
function parts.overlap(list)
  for i = 2, #list do
    local a, b = list[i - 1][1], list[i][1]
    local same = a.piece and b.piece and a.piece.input == b.piece.input
    local last, first = tonumber(a.statistics.last), tonumber(b.statistics.first)
    if not same and last and first and last > first then
      return { a.inputs[1].name, b.inputs[1].name }
    end
  end
  return nil
end

return parts
