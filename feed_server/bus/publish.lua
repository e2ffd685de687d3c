-- Publishes one symbol's update: next offset, last value, log, final bars, message; in one step.
-- KEYS: 1 last value, 2 log, from 3 on: final bars of each interval of which one is told
-- ARGV: 1 channel, 2 epoch to begin where there is none, 3 event time, 4 changes it stands for,
--       5 update, 6 entries of the log to keep, 7 milliseconds to keep it,
--       8 number of the writer's lock, 9 final bars to keep of each interval,
--       then of each final bar the number of its key, its start, and the bar
-- Returns {epoch, offset}; offset -1 where the update is older than what is there and was refused,
--         -2 where it was refused because a later writer was there.
local kept = redis.call('HMGET', KEYS[1], 'epoch', 'offset', 'time_ms', 'update', 'fence')
local epoch = kept[1]
if kept[5] and tonumber(ARGV[8]) < tonumber(kept[5]) then
  return {epoch, -2}
end
if not epoch then
  -- Lost: what the log may still hold is numbered by an epoch that is over.
  epoch = ARGV[2]
  redis.call('DEL', KEYS[2])
end
if kept[3] and tonumber(ARGV[3]) < tonumber(kept[3]) then
  return {epoch, -1}
end
if kept[4] == ARGV[5] then
  return {epoch, tonumber(kept[2])}
end
local offset = tonumber(kept[2] or 0) + tonumber(ARGV[4])
local digits = string.format('%d', offset)
local message = epoch .. ' ' .. digits .. ' ' .. ARGV[5]
local entry = {'XADD', KEYS[2], 'MAXLEN', '~', ARGV[6], digits .. '-0', 'u', message}
local added = redis.pcall(unpack(entry))
if type(added) == 'table' and added.err then
  -- It is numbered beyond the last value: not all of Redis has gone back.
  redis.call('DEL', KEYS[2])
  redis.call(unpack(entry))
end
redis.call('PEXPIRE', KEYS[2], ARGV[7])
redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', digits, 'time_ms', ARGV[3], 'update', ARGV[5],
  'fence', ARGV[8])
for i = 10, #ARGV, 3 do
  local key, start = KEYS[tonumber(ARGV[i])], ARGV[i + 1]
  redis.call('ZREMRANGEBYSCORE', key, start, start)
  redis.call('ZADD', key, start, ARGV[i + 2])
end
for i = 3, #KEYS do
  if redis.call('ZREMRANGEBYRANK', KEYS[i], 0, -1 - tonumber(ARGV[9])) > 0 then
    -- The key ends with the interval's name.
    local oldest = redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2]
    redis.call('HSET', KEYS[1], 'since_ms:' .. string.match(KEYS[i], '[^:]+$'), oldest)
  end
end
redis.call('PUBLISH', ARGV[1], message)
return {epoch, offset}
