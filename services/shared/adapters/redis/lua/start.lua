-- KEYS: generation, position, journal. ARGV: generation.
-- Answers everything a worker needs to begin, in one moment: position, seek offset, journal (D6).
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'no_index'} end
local state = redis.call('HMGET', KEYS[2], 'position', 'seek')
return {'ok', state[1] or '-1', state[2] or '0', redis.call('HGETALL', KEYS[3])}
