-- Where times stand on the axis of a chart. Stretches of nothing that would leave bins no pixel are
-- cut out: a packet stamped years ahead, or captures of several years in one file, then do not
-- squeeze all else into a line.
local time_scale = {}

local BREAK = 18 -- pixels between two pieces of the axis
local LEAST = 110 -- pixels of a piece: its label has room
local FINEST = 2 -- bins a pixel up to which the axis is whole

-- Stretches of rows without a gap: { { first =, last = }, … }.
local function pieces_of(s)
  local list = {}
  for i, t in ipairs(s.times) do
    local piece = list[#list]
    if piece and t - s.times[i - 1] <= 1.5 * s.interval then
      piece.last = t + s.interval
    else
      list[#list + 1] = { first = t, last = t + s.interval }
    end
  end
  return list
end

-- Pixels for each piece by how long it is, none narrower than its label.
local function share_out(pieces, left, right)
  local room, long = right - left - (#pieces - 1) * BREAK - #pieces * LEAST, 0
  for _, piece in ipairs(pieces) do long = long + piece.last - piece.first end
  local x = left
  for _, piece in ipairs(pieces) do
    piece.left = x
    piece.right = x + LEAST + room * (piece.last - piece.first) / long
    x = piece.right + BREAK
  end
end

--- The scale of a series (sluice.series) between two edges: pieces, { { first =, last =, left =,
--- right = }, … }, and x_of(t).
function time_scale.new(s, left, right)
  local pieces = { { first = s.first, last = s.last, left = left, right = right } }
  if not s.relative and s.last - s.first > FINEST * (right - left) * s.interval then
    local cut = pieces_of(s)
    if #cut > 1 and #cut * (LEAST + BREAK) < right - left then
      pieces = cut
      share_out(pieces, left, right)
    end
  end
  local function x_of(t)
    local before = pieces[1]
    for _, piece in ipairs(pieces) do
      if t < piece.first then
        return before.right + (t - before.last) / (piece.first - before.last)
          * (piece.left - before.right)
      end
      if t <= piece.last then
        return piece.left + (t - piece.first) / (piece.last - piece.first)
          * (piece.right - piece.left)
      end
      before = piece
    end
    return right
  end
  return { pieces = pieces, x_of = x_of }
end

return time_scale
