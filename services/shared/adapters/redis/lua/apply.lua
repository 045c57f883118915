-- KEYS: generation, position, journal, then one key per write.
-- ARGV: generation, expected position, new position, new seek offset, journal entries at most, journal, writes.
-- journal: count, then for each entry a length-prefixed origin (text) and a length-prefixed value.
-- writes: for each key one kind byte (1 set fields, 2 delete fields, 3 set scores, 4 expire below a score), a count, then
-- length-prefixed texts: field and value, field, score and member, or the one score.
-- Checks come first and may refuse. What follows the first write does not fail; but a Lua error would not undo writes, so
-- while writes are under way the generation is not there: an index cut off in between is never decided from (D1, D7).
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'no_index' end
local position = redis.call('HGET', KEYS[2], 'position')
if not position then return 'no_index' end
if position ~= ARGV[2] then return 'moved' end

local unpackStruct = struct.unpack
local entries, at = {}, 1
local count
count, at = unpackStruct('>I2', ARGV[6], at)
if redis.call('HLEN', KEYS[3]) + count > tonumber(ARGV[5]) then return 'full' end
for i = 1, count do
  entries[2 * i - 1], at = unpackStruct('>I4c0', ARGV[6], at)
  entries[2 * i], at = unpackStruct('>I4c0', ARGV[6], at)
end

-- Everything is unpacked before the first write. That a key is of its kind was seen when it was read, at this position: whoever
-- writes what he has not read, into a key of another kind, breaks the index, and it says so.
local kinds, texts = {}, {}
local writes = ARGV[7]
local commands = {'HSET', 'HDEL', 'ZADD'}
-- Lua takes at most about 8,000 arguments in one call. An even number: a field stays with its value.
local atOnce = 2000
at = 1
for k = 4, #KEYS do
  local kind
  kind, count, at = unpackStruct('>BI4', writes, at)
  local list = {}
  for i = 1, count do list[i], at = unpackStruct('>I4c0', writes, at) end
  kinds[k], texts[k] = kind, list
end

-- At the limit of its memory, or without its replicas, a server refuses the first write of a script and none after it.
redis.call('SET', KEYS[1], 'cut off while it was written: ' .. ARGV[1])
redis.call('HSET', KEYS[2], 'position', ARGV[3], 'seek', ARGV[4])
for i = 1, #entries, 2 do redis.call('HSET', KEYS[3], entries[i], entries[i + 1]) end
for k = 4, #KEYS do
  local kind, list = kinds[k], texts[k]
  if kind == 4 then
    redis.call('ZREMRANGEBYSCORE', KEYS[k], '-inf', '(' .. list[1])
  else
    for first = 1, #list, atOnce do
      redis.call(commands[kind], KEYS[k], unpack(list, first, math.min(first + atOnce - 1, #list)))
    end
  end
end
redis.call('SET', KEYS[1], ARGV[1])
return 'applied'
