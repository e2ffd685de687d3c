-- Sets one alert of a user, or changes the one of its name, which stands as before; in one step.
-- KEYS: 1 the user's alerts, 2 how they stand, 3 the users, 4 the symbols, 5 number of the last
--       change, 6 of the last change of any kind
-- ARGV: 1 the user, 2 the alert's name, 3 the alert, 4 its symbol, 5 whether a new one is armed,
--       6 now (ms), 7 how many alerts the user may have, 8 how many symbols all may, 9 channel,
--       10 note
-- Returns how it stands; 0 where the user has too many, -1 where there are too many symbols:
-- nothing was changed.
local standing = redis.call('HGET', KEYS[2], ARGV[2])
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then
  if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[7]) then
    return 0
  end
  if redis.call('HEXISTS', KEYS[4], ARGV[4]) == 0
      and redis.call('HLEN', KEYS[4]) >= tonumber(ARGV[8]) then
    return -1
  end
  redis.call('HINCRBY', KEYS[4], ARGV[4], 1)
  standing = ARGV[5] .. ' ' .. ARGV[6] .. ' 0 - 0 - 0 ' .. ARGV[4]
  redis.call('HSET', KEYS[2], ARGV[2], standing)
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[6], ARGV[1])
redis.call('INCR', KEYS[6])
redis.call('PUBLISH', ARGV[9], redis.call('INCR', KEYS[5]) .. ' ' .. ARGV[10])
return standing
