-- What both scripts begin with: they answer for a master only, and know which life of which server this is.
-- Redis 6 may have to be told that what a script writes is to be copied, not the script. Redis 7 does nothing else.
if redis.replicate_commands then redis.replicate_commands() end
local replication = redis.call('INFO', 'replication')
if not string.find(replication, 'role:master', 1, true) then
    return redis.error_reply('READONLY this server is a replica')
end
-- The run changes with each start of the server. The history changes when a replica becomes a master, and its data with it.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local history = string.match(replication, 'master_replid:(%x+)')
if not run or not history then
    return redis.error_reply('ERR INFO shows neither run_id nor master_replid')
end
local incarnation = run .. '/' .. history
