-- Publishes one symbol's update: next offset, last value, final bars, message; in one step.
-- KEYS: 1 last value, 2 final bars
-- ARGV: 1 channel, 2 epoch to begin where there is none, 3 event time, 4 changes it stands for,
--       5 update, then pairs of a final bar's start and the bar
-- Returns {epoch, offset}; offset -1 where the update is older than what is there and was refused.
local kept = redis.call('HMGET', KEYS[1], 'epoch', 'offset', 'time_ms', 'update')
local epoch = kept[1] or ARGV[2]
local offset = tonumber(kept[2] or 0)
if kept[3] and tonumber(ARGV[3]) < tonumber(kept[3]) then
  return {epoch, -1}
end
if kept[4] == ARGV[5] then
  return {epoch, offset}
end
offset = offset + tonumber(ARGV[4])
redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', offset, 'time_ms', ARGV[3], 'update', ARGV[5])
for i = 6, #ARGV, 2 do
  redis.call('ZREMRANGEBYSCORE', KEYS[2], ARGV[i], ARGV[i])
  redis.call('ZADD', KEYS[2], ARGV[i], ARGV[i + 1])
end
redis.call('PUBLISH', ARGV[1], epoch .. ' ' .. string.format('%d', offset) .. ' ' .. ARGV[5])
return {epoch, offset}
