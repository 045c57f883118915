-- KEYS: generation, position. ARGV: generation.
-- Begins an empty generation before the first message. Never in the place of a higher one, so that of two that begin at
-- once the higher wins, and never in the place of one that was cut off while it was written (D7).
local current = redis.call('GET', KEYS[1])
if current and (tonumber(current) or math.huge) > tonumber(ARGV[1]) then return 'superseded' end
redis.call('HSETNX', KEYS[2], 'position', '-1')
redis.call('HSETNX', KEYS[2], 'seek', '0')
redis.call('SET', KEYS[1], ARGV[1])
return 'activated'
