-- Arms an alert, or fires an armed one: it leaves the armed ones for the history; in one step.
-- KEYS: 1 the user's alerts, 2 the armed ones, 3 the users, 4 the history, 5 the fence, 6 whether
--       the alert rests
-- ARGV: 1 the user, 2 the alert's name, 3 number of the writer's lock, 4 'arm', 'fire' or, where it
--       stays, 'fire again', and to fire: 5 what has fired, 6 entries of the history to keep,
--       7 milliseconds to keep them, 8 channel, 9 note, 10 milliseconds to rest
-- Returns 1; 0 where it is not there, rests, or was not armed: nothing was changed;
--         -2 where a later writer was there.
local fence = redis.call('GET', KEYS[5])
if fence and tonumber(ARGV[3]) < tonumber(fence) then
  return -2
end
redis.call('SET', KEYS[5], ARGV[3])
if ARGV[4] == 'arm' then
  if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 or redis.call('EXISTS', KEYS[6]) == 1 then
    return 0
  end
  redis.call('SADD', KEYS[2], ARGV[2])
  return 1
end
if redis.call('SREM', KEYS[2], ARGV[2]) == 0 then
  return 0
end
if ARGV[4] == 'fire' then
  redis.call('HDEL', KEYS[1], ARGV[2])
  if redis.call('EXISTS', KEYS[1]) == 0 then
    redis.call('SREM', KEYS[3], ARGV[1])
  end
else
  redis.call('SET', KEYS[6], '', 'PX', ARGV[10])
end
local place = redis.call('XADD', KEYS[4], 'MAXLEN', ARGV[6], '*', 'f', ARGV[5])
redis.call('PEXPIRE', KEYS[4], ARGV[7])
redis.call('PUBLISH', ARGV[8], place .. ' ' .. ARGV[9])
return 1
