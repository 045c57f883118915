-- KEYS: generation, position, building. ARGV: generation, the position that it was built up to.
-- Makes a rebuilt generation the current one (R1), if nothing of it was lost since its building began: Redis loses the
-- last writes or all of them, and the mark of building and the position are the first and the last.
local current = redis.call('GET', KEYS[1])
if current == ARGV[1] then return 'switched' end
if (tonumber(current or '') or 0) > tonumber(ARGV[1]) then return 'superseded' end
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 'lost' end
if redis.call('HGET', KEYS[2], 'position') ~= ARGV[2] then return 'lost' end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[3])
return 'switched'
