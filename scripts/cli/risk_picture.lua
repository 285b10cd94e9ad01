-- SPDX-License-Identifier: MIT
-- The matrix of risk as a picture (SVG 1.1): impact to the right, likelihood
-- upwards, a server at its place.
local picture = {}
local SIDE, LEFT, TOP, CELLS = 560, 70, 40, 20

local escapes = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }
local function escape(text) return (text:gsub('[&<>"]', escapes)) end

-- From green over yellow to red.
local function color(share)
	local red, green = share < 0.5 and 120 + 240 * share or 240, share < 0.5 and 200 or 200 - 260 * (share - 0.5)
	return ("rgb(%d,%d,110)"):format(red // 1, green // 1)
end

local function class_of(model, score)
	local rank = 1
	for i, c in ipairs(model.classes) do rank = score >= c.from and i or rank end
	return rank
end

local function text(x, y, words, more)
	return ('<text x="%d" y="%d"%s>%s</text>\n'):format(x, y, more or "", escape(words))
end

-- rows: as model.judge gives them.
function picture.svg(model, rows)
	local out = { '<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" ',
		('width="%d" height="%d" font-family="sans-serif" font-size="12">\n'):format(SIDE + LEFT + 180, SIDE + TOP + 60),
		"<title>Risk of servers</title>\n" }
	local function add(s) out[#out + 1] = s end
	local step = SIDE / CELLS
	for i = 0, CELLS - 1 do
		for k = 0, CELLS - 1 do
			local score = (i + 0.5) * (k + 0.5) * 100 / CELLS / CELLS
			add(('<rect x="%.0f" y="%.0f" width="%.0f" height="%.0f" fill="%s"/>\n'):format(LEFT + i * step,
				TOP + SIDE - (k + 1) * step, step, step,
				color(#model.classes > 1 and (class_of(model, score) - 1) / (#model.classes - 1) or 0)))
		end
	end
	local taken = {}
	for _, row in ipairs(rows) do
		local x, y = LEFT + row.impact * SIDE // 100, TOP + SIDE - row.likelihood * SIDE // 100
		add(('<circle cx="%d" cy="%d" r="5" fill="black"><title>%s: %d</title></circle>\n'):format(x, y,
			escape(row.server), row.score))
		local place = y // 14
		while taken[place] do place = place + 1 end -- names do not lie upon one another
		taken[place] = true
		add(text(x + 8, place * 14 + 8, ("%s (%d)"):format(row.server, row.score)))
	end
	add(text(LEFT + SIDE // 2, TOP + SIDE + 35, "impact", ' text-anchor="middle" font-size="14"'))
	add(text(0, 0, "likelihood", (' text-anchor="middle" font-size="14" transform="translate(%d,%d) rotate(-90)"'):format(
		LEFT - 35, TOP + SIDE // 2)))
	for i, c in ipairs(model.classes) do
		add(('<rect x="%d" y="%d" width="14" height="14" fill="%s"/>\n'):format(LEFT + SIDE + 20, TOP + 20 * i - 12,
			color(#model.classes > 1 and (i - 1) / (#model.classes - 1) or 0)))
		add(text(LEFT + SIDE + 40, TOP + 20 * i, ("%s, from %d"):format(c.id, c.from)))
	end
	add("</svg>\n")
	return table.concat(out)
end

return picture
