-- Joins a user's settings with newer ones, in one step; each is kept as `at_ms json`.
-- KEYS: 1 the user's settings
-- ARGV: 1 how many bytes there may be in all, 2 how many settings, 3 when they expire (ms), and of
--       each setting: its name, when it was chosen, its value
-- Returns 1; 0 where they would be too long, and nothing was changed.
local merged = {}
local kept = redis.call('HGETALL', KEYS[1])
for i = 1, #kept, 2 do
  merged[kept[i]] = kept[i + 1]
end
local newer = {}
for i = 4, #ARGV, 3 do
  local had = merged[ARGV[i]]
  local had_ms = had and tonumber(string.match(had, '^%d+')) or -1
  if tonumber(ARGV[i + 1]) > had_ms then
    merged[ARGV[i]] = ARGV[i + 1] .. ' ' .. ARGV[i + 2]
    newer[#newer + 1] = ARGV[i]
    newer[#newer + 1] = merged[ARGV[i]]
  end
end
local bytes, count = 0, 0
for name, text in pairs(merged) do
  bytes = bytes + #name + #text
  count = count + 1
end
if bytes > tonumber(ARGV[1]) or count > tonumber(ARGV[2]) then
  return 0
end
if #newer > 0 then
  redis.call('HSET', KEYS[1], unpack(newer))
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
