-- One request of one caller: `RateLimit::judge` in Redis. KEYS[1] holds until when the caller owes, and is gone by then.
-- ARGV, all in microseconds: the time, what a request costs, how much may be owed.
local now, cost, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local ahead = (tonumber(redis.call('GET', KEYS[1]) or now) or now) - now
local debt = math.min(math.max(ahead, 0), most)
local allowed = debt + cost <= most
if allowed then
  debt = debt + cost
end
-- more than may be owed was written before the clock was set back: it is written anew, or the caller would wait for that time
if allowed or ahead > most then
  redis.call('SET', KEYS[1], string.format('%.0f', now + debt), 'PX', string.format('%.0f', math.ceil(debt / 1000)))
end
return { allowed and 1 or 0, debt }
