-- Sets one alert of a user, or takes the place of the one of its name; in one step.
-- KEYS: 1 the user's alerts, 2 the armed ones, 3 the users
-- ARGV: 1 the user, 2 the alert's name, 3 the alert, 4 whether it is armed, 5 how many there may be,
--       6 channel, 7 note
-- Returns 1; 0 where there are too many, and nothing was changed.
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0
    and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[5]) then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call(ARGV[4] == '1' and 'SADD' or 'SREM', KEYS[2], ARGV[2])
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('PUBLISH', ARGV[6], '0-0 ' .. ARGV[7])
return 1
