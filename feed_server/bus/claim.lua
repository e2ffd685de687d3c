-- Makes a symbol ours: what an earlier writer still sends is refused from now on.
-- KEYS: 1 last value. ARGV: 1 number of the writer's lock.
-- Returns 1; 0 where a later writer was there, and nothing was changed.
local fence = redis.call('HGET', KEYS[1], 'fence')
if fence and tonumber(ARGV[1]) < tonumber(fence) then
  return 0
end
if fence then
  redis.call('HSET', KEYS[1], 'fence', ARGV[1])
end
return 1
