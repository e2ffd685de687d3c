-- Arms an alert, or fires an armed one: once told of in the history, it is gone, or it rests where
-- it stays; in one step.
-- KEYS: 1 the user's alerts, 2 how they stand, 3 the users, 4 the symbols, 5 the history,
--       6 the fence, 7 number of the last change of any kind
-- ARGV: 1 the user, 2 the alert's name, 3 number of the writer's lock, 4 the writer, 5 the writer's
--       number of this turn, 6 epoch and 7 event time of the price, 8 'arm', 'fire' or, where it
--       stays, 'fire again', and to fire: 9 what has fired, 10 entries of the history to keep,
--       11 milliseconds to keep them, 12 channel, 13 note, 14 until when it rests (ms)
-- Returns 1, also where it had happened before and the answer was lost; 0 where it is not there, or
--         was not armed: nothing was changed; -2 where a later writer was there.
local fence = redis.call('GET', KEYS[6])
if fence and tonumber(ARGV[3]) < tonumber(fence) then
  return -2
end
if fence ~= ARGV[3] then
  redis.call('SET', KEYS[6], ARGV[3])
end
local standing = redis.call('HGET', KEYS[2], ARGV[2])
if not standing or redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then
  return 0
end
local armed, created, rests, writer, number, symbol =
  string.match(standing, '^(%S+) (%S+) (%S+) (%S+) (%S+) %S+ %S+ (.*)$')
if writer == ARGV[4] and tonumber(ARGV[5]) <= tonumber(number) then
  return 1
end
if ARGV[8] ~= 'arm' and armed ~= '1' then
  return 0
end
redis.call('INCR', KEYS[7])
if ARGV[8] == 'fire' then
  redis.call('HDEL', KEYS[1], ARGV[2])
  redis.call('HDEL', KEYS[2], ARGV[2])
  if redis.call('HINCRBY', KEYS[4], symbol, -1) <= 0 then
    redis.call('HDEL', KEYS[4], symbol)
  end
  if redis.call('EXISTS', KEYS[1]) == 0 then
    redis.call('ZREM', KEYS[3], ARGV[1])
  end
else
  armed = ARGV[8] == 'arm' and '1' or '0'
  redis.call('HSET', KEYS[2], ARGV[2], table.concat(
    {armed, created, ARGV[14] or rests, ARGV[4], ARGV[5], ARGV[6], ARGV[7], symbol}, ' '))
end
if ARGV[8] ~= 'arm' then
  local place = redis.call('XADD', KEYS[5], 'MAXLEN', ARGV[10], '*', 'f', ARGV[9])
  redis.call('PEXPIRE', KEYS[5], ARGV[11])
  redis.call('PUBLISH', ARGV[12], place .. ' ' .. ARGV[13])
end
return 1
