-- KEYS: generation, position, then one key per read. ARGV: generation, expected position, reads.
-- reads: for each key one kind byte (1 hash fields, 2 scores), a count, then that many length-prefixed names.
-- Answers one string: for each name its value, length-prefixed; length 2^32-1 means there is none. A refusal is a list of one word.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'no_index'} end
local position = redis.call('HGET', KEYS[2], 'position')
if not position then return {'no_index'} end
if position ~= ARGV[2] then return {'moved'} end

local unpackStruct, pack = struct.unpack, struct.pack
-- Lua takes at most about 8,000 arguments in one call.
local atOnce = 2000
local none = pack('>I4', 4294967295)
local reads, at = ARGV[3], 1
local answer, n = {}, 0
for k = 3, #KEYS do
  local kind, count
  kind, count, at = unpackStruct('>BI4', reads, at)
  for first = 1, count, atOnce do
    local names, held = {}, math.min(atOnce, count - first + 1)
    for i = 1, held do names[i], at = unpackStruct('>I4c0', reads, at) end
    local values = {}
    if kind == 1 then
      values = redis.call('HMGET', KEYS[k], unpack(names))
    else
      for i = 1, held do values[i] = redis.call('ZSCORE', KEYS[k], names[i]) end
    end
    for i = 1, held do
      n = n + 1
      local value = values[i]
      answer[n] = value and pack('>I4c0', #value, value) or none
    end
  end
end
return table.concat(answer)
