-- Begins a symbol's epoch: forgets its last value, log and bars; keeps a history; in one step.
-- KEYS: 1 last value, 2 log, 3 final bars
-- ARGV: 1 epoch, 2 number of the writer's lock, then pairs of a final bar's start and the bar
-- Returns 1; 0 where a later writer was there, and nothing was changed.
local fence = redis.call('HGET', KEYS[1], 'fence')
if fence and tonumber(ARGV[2]) < tonumber(fence) then
  return 0
end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'fence', ARGV[2])
for i = 3, #ARGV, 2 do
  redis.call('ZADD', KEYS[3], ARGV[i], ARGV[i + 1])
end
return 1
