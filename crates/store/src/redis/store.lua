-- The beginning of both scripts: it fails on a server that is not a master, and finds out the incarnation.
-- Redis 6 can replicate scripts, or what they write. This selects the latter, which is all that Redis 7 does.
if redis.replicate_commands then redis.replicate_commands() end
local replication = redis.call('INFO', 'replication')
if not string.find(replication, 'role:master', 1, true) then
    return redis.error_reply('READONLY this server is a replica')
end
-- The run changes with each start of the server. The history changes when a replica becomes a master, which may change the data.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local history = string.match(replication, 'master_replid:(%x+)')
if not run or not history then
    return redis.error_reply('ERR INFO shows neither run_id nor master_replid')
end
local incarnation = run .. '/' .. history
-- Returns the version and the content of a key. The version is '' if there is no record. What another program has written there
-- has a version too: 'x' and a hash, or only 'x' if it is not a string. A string that is too long is not read as a whole, because
-- Redis does nothing else meanwhile.
local function look_up(key, longest)
    local value = redis.pcall('GETRANGE', key, 0, longest + 20)
    if type(value) == 'table' then
        if string.find(value.err, 'WRONGTYPE', 1, true) then return 'x', '' end
        return nil, nil, value
    end
    if value == '' then return '', '' end
    local version, content = string.match(value, '^([1-9]%d*)\n(.*)$')
    -- A version has 63 bits.
    if not version or #version > 19 or #version == 19 and version > '9223372036854775807' then
        version, content = 'x' .. string.sub(redis.sha1hex(value), 1, 15), value
    end
    if #content > longest then content = '' end
    return version, content
end
