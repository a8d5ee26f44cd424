-- Colors that people with any kind of color vision can tell apart, as 0xRRGGBB.
local bit = require "bit"

local palette = {}

-- background, text … of a theme; land, sea and lines of maps.
local THEMES = {
  light = { background = 0xffffff, text = 0x222222, muted = 0x666666, grid = 0xe8e8e8,
    axis = 0x999999, land = 0xcfcfca, sea = 0xedf3f8, graticule = 0xdde7ee },
  dark = { background = 0x16191d, text = 0xe8e6e3, muted = 0x9aa0a6, grid = 0x2c3136,
    axis = 0x6b7278, land = 0x3b4148, sea = 0x1b2128, graticule = 0x252c34 },
}

--- Draws in the colors of a theme from now on: "light" or "dark". Whether there is one.
function palette.use(theme)
  for name, color in pairs(THEMES[theme] or {}) do palette[name] = color end
  return THEMES[theme] ~= nil
end

palette.use "light"

-- Okabe and Ito, "Color Universal Design" (2008), in an order that keeps neighbours apart.
local SERIES = { 0x0072b2, 0xe69f00, 0x009e73, 0xd55e00, 0xcc79a7, 0x56b4e9, 0xf0e442, 0x777777 }

--- The color of series i; after eight they repeat.
function palette.series(i) return SERIES[(i - 1) % #SERIES + 1] end

--- A color of series i that stands back: share of the background in it.
function palette.soft(i, share)
  return palette.mix(palette.series(i), palette.background, share)
end

--- Between a and b; share 0: a, 1: b.
function palette.mix(a, b, share)
  local color = 0
  for shift = 0, 16, 8 do
    local x = bit.band(bit.rshift(a, shift), 255)
    local y = bit.band(bit.rshift(b, shift), 255)
    color = color + bit.lshift(math.floor(x + (y - x) * share + 0.5), shift)
  end
  return color
end

-- viridis (van der Walt and Smith, CC0) from its light end to its dark one: on paper more is dark.
local SCALE = { 0xfde725, 0xb5de2b, 0x6ece58, 0x35b779, 0x1f9e89, 0x26828e, 0x31688e, 0x3e4989,
  0x482878, 0x440154 }

--- The color of share (0 to 1) on a scale from little to much: towards dark on a light ground, and
--- towards light on a dark one.
function palette.scale(share)
  if palette.background < 0x800000 then share = 1 - share end
  local at = math.max(0, math.min(1, share)) * (#SCALE - 1)
  local i = math.min(math.floor(at), #SCALE - 2)
  return palette.mix(SCALE[i + 1], SCALE[i + 2], at - i)
end

return palette
