-- KEYS: the keys to read. Returns the incarnation and the values.
if #KEYS == 0 then return { incarnation, {} } end
return { incarnation, redis.call('MGET', unpack(KEYS)) }
