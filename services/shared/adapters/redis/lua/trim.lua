-- KEYS: generation, journal. ARGV: generation, then origins. Forgets entries after their acknowledgement (D6, D7).
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'no_index' end
for i = 2, #ARGV do redis.call('HDEL', KEYS[2], ARGV[i]) end
return 'trimmed'
