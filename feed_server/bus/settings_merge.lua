-- Joins a user's settings with newer ones, in one step; each is kept as `at_ms json`.
-- KEYS: 1 the user's settings
-- ARGV: 1 how many bytes there may be in all, 2 how many settings, 3 when they expire (ms), and of
--       each setting: its name, when it was chosen, its value
-- Returns the names of those for which there was no room; the others were taken.
local kept, bytes, count = {}, 0, 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  kept[all[i]] = all[i + 1]
  bytes = bytes + #all[i] + #all[i + 1]
  count = count + 1
end
local newer = {}
for i = 4, #ARGV, 3 do
  local name, had = ARGV[i], kept[ARGV[i]]
  local had_ms = had and tonumber(string.match(had, '^%d+')) or -1
  if tonumber(ARGV[i + 1]) > had_ms then
    local text = ARGV[i + 1] .. ' ' .. ARGV[i + 2]
    local growth = had and #text - #had or #name + #text
    newer[#newer + 1] = {name = name, text = text, growth = growth, count = had and 0 or 1}
  end
end
-- What makes room comes first, and what takes much of it last.
table.sort(newer, function(a, b) return a.growth < b.growth end)
local refused = {}
for _, one in ipairs(newer) do
  local fits = bytes + one.growth <= tonumber(ARGV[1]) or one.growth <= 0
  if fits and count + one.count <= tonumber(ARGV[2]) then
    redis.call('HSET', KEYS[1], one.name, one.text)
    bytes, count = bytes + one.growth, count + one.count
  else
    refused[#refused + 1] = one.name
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return refused
