-- Begins a symbol's epoch: forgets its last value, log and bars; keeps a history; in one step.
-- KEYS: 1 last value, 2 log, from 3 on: final bars of each interval
-- ARGV: 1 epoch, 2 number of the writer's lock, 3 market time from which on the bars are whole,
--       then of each final bar the number of its key, its start, and the bar
-- Returns 1; 0 where a later writer was there, and nothing was changed.
local fence = redis.call('HGET', KEYS[1], 'fence')
if fence and tonumber(ARGV[2]) < tonumber(fence) then
  return 0
end
redis.call('DEL', unpack(KEYS))
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'fence', ARGV[2], 'since_ms', ARGV[3])
for i = 4, #ARGV, 3 do
  redis.call('ZADD', KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2])
end
if tonumber(ARGV[3]) > 0 then
  -- Of a history that was put back, what is older is not there any more.
  for i = 3, #KEYS do
    local oldest = redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2]
    if oldest then
      redis.call('HSET', KEYS[1], 'since_ms:' .. string.match(KEYS[i], '[^:]+$'), oldest)
    end
  end
end
return 1
