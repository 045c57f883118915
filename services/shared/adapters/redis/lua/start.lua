-- KEYS: generation, position, journal. ARGV: generation.
-- Answers everything a worker needs to begin, in one moment: position, seek offset, journal (D6). A generation has its
-- position from its first moment on: one without is no first start, it is damaged.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'no_index'} end
local state = redis.call('HMGET', KEYS[2], 'position', 'seek')
if not state[1] or not state[2] then return {'no_index'} end
return {'ok', state[1], state[2], redis.call('HGETALL', KEYS[3])}
