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
