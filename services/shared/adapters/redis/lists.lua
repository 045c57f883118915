-- Looks up one batch's models in one publication of an approved list (V2).
-- KEYS: description, members, details. ARGV: publication, models...
-- Returns the details of each model, false where it is not a member; or 'unavailable' when the publication is not
-- there as a whole: a list that was lost or is being written must not make models "not listed".
local described = redis.call('HMGET', KEYS[1], 'publication', 'models')
local models = tonumber(described[2])
if described[1] ~= ARGV[1] or not models then
  return 'unavailable'
end
if redis.call('SCARD', KEYS[2]) ~= models or redis.call('HLEN', KEYS[3]) ~= models then
  return 'unavailable'
end
local found = {}
for i = 2, #ARGV do
  local details = redis.call('HGET', KEYS[3], ARGV[i])
  local member = redis.call('SISMEMBER', KEYS[2], ARGV[i]) == 1
  if member ~= (details ~= false) then
    return 'unavailable'
  end
  found[i - 1] = details
end
return found
