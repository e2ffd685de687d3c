-- Takes one alert of a user away; in one step.
-- KEYS: 1 the user's alerts, 2 the armed ones, 3 the users
-- ARGV: 1 the user, 2 the alert's name, 3 channel, 4 note
-- Returns 1; 0 where there is none of that name.
if redis.call('HDEL', KEYS[1], ARGV[2]) == 0 then
  return 0
end
redis.call('SREM', KEYS[2], ARGV[2])
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('SREM', KEYS[3], ARGV[1])
end
redis.call('PUBLISH', ARGV[3], '0-0 ' .. ARGV[4])
return 1
