-- KEYS: generation, position, then one key per read. ARGV: generation, expected position, reads.
-- reads: for each key one kind byte (1 hash fields, 2 scores), a count, then that many length-prefixed names.
-- Answers one string: for each name its value, length-prefixed; length 0 means there is none.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'no_index' end
if (redis.call('HGET', KEYS[2], 'position') or '-1') ~= ARGV[2] then return 'moved' end

local unpackStruct, pack = struct.unpack, struct.pack
local reads, at = ARGV[3], 1
local answer, n = {}, 0
for k = 3, #KEYS do
  local kind, count
  kind, count, at = unpackStruct('>BI2', reads, at)
  local names = {}
  for i = 1, count do names[i], at = unpackStruct('>I2c0', reads, at) end
  local values
  if kind == 1 then
    values = redis.call('HMGET', KEYS[k], unpack(names))
  else
    values = {}
    for i = 1, count do values[i] = redis.call('ZSCORE', KEYS[k], names[i]) end
  end
  for i = 1, count do
    n = n + 1
    local value = values[i] or ''
    answer[n] = pack('>I2c0', #value, value)
  end
end
return table.concat(answer)
