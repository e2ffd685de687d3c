-- Takes one alert of a user away, or all of a user who was not seen for long; in one step.
-- KEYS: 1 the user's alerts, 2 how they stand, 3 the users, 4 the symbols, 5 number of the last
--       change, 6 of the last change of any kind
-- ARGV: 1 the user, 2 channel, 3 note, 4 the alert's name; '' for all where the user was last seen
--       5 then (ms) or before
-- Returns how many were taken away.
local function take(name, standing)
  if redis.call('HDEL', KEYS[1], name) == 0 then
    return 0
  end
  redis.call('HDEL', KEYS[2], name)
  -- What it looks at is told last, for it may have any characters.
  local symbol = string.match(standing or '', '^%S+ %S+ %S+ %S+ %S+ %S+ %S+ (.*)$')
  if symbol and redis.call('HINCRBY', KEYS[4], symbol, -1) <= 0 then
    redis.call('HDEL', KEYS[4], symbol)
  end
  return 1
end
local taken = 0
if ARGV[4] ~= '' then
  taken = take(ARGV[4], redis.call('HGET', KEYS[2], ARGV[4]))
else
  local seen = redis.call('ZSCORE', KEYS[3], ARGV[1])
  if not seen or tonumber(seen) > tonumber(ARGV[5]) then
    return 0
  end
  for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
    taken = taken + take(name, redis.call('HGET', KEYS[2], name))
  end
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[3], ARGV[1])
end
if taken > 0 then
  redis.call('INCR', KEYS[6])
  redis.call('PUBLISH', ARGV[2], redis.call('INCR', KEYS[5]) .. ' ' .. ARGV[3])
end
return taken
