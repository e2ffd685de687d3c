-- Spends credits of a vendor's limits: of every stretch of time, not only of its clock's minutes.
-- KEYS: 1 when credits were spent (sorted set by epoch ms), 2 until when nothing may be (epoch ms)
-- ARGV: 1 credits wanted at most, 2 names this spending, then pairs of a limit and its length (ms)
-- Returns {credits granted, milliseconds until the next can be had, then what is left of each limit}
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local longest, wait = 0, 0
local granted = tonumber(ARGV[1])
local left = {}
for i = 3, #ARGV, 2 do
  longest = math.max(longest, tonumber(ARGV[i + 1]))
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - longest)
for i = 3, #ARGV, 2 do
  local limit, length = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local since = '(' .. (now - length)
  local used = redis.call('ZCOUNT', KEYS[1], since, '+inf')
  left[#left + 1] = math.max(0, limit - used)
  granted = math.min(granted, left[#left])
  if used >= limit then
    local freed = redis.call('ZRANGEBYSCORE', KEYS[1], since, '+inf',
      'WITHSCORES', 'LIMIT', used - limit, 1)
    wait = math.max(wait, tonumber(freed[2]) + length - now)
  end
end
local blocked = tonumber(redis.call('GET', KEYS[2]) or 0)
if blocked > now then
  granted = 0
  wait = math.max(wait, blocked - now)
end
for n = 1, granted do
  redis.call('ZADD', KEYS[1], now, ARGV[2] .. ':' .. n)
end
if granted > 0 then
  redis.call('PEXPIRE', KEYS[1], longest)
  for i = 1, #left do
    left[i] = left[i] - granted
  end
end
return {granted, wait, unpack(left)}
