-- KEYS: the keys of the conditions, then the keys to write.
-- ARGV: the longest content; '' or '=' and the incarnation; the number of conditions; the version of each, '' for "no record";
-- the new values.
-- Returns 1 if the change is done, 0 if it is refused.
if ARGV[2] ~= '' and ARGV[2] ~= '=' .. incarnation then return 0 end
local conditions = tonumber(ARGV[3])
for i = 1, conditions do
    local version, content, failure = look_up(KEYS[i], tonumber(ARGV[1]))
    if failure then return failure end
    if version ~= ARGV[3 + i] then return 0 end
end
-- One command writes all records: Redis checks rights, memory and replicas before it begins, so it cannot stop halfway. It
-- replaces values of all types.
local all = {}
for i = conditions + 1, #KEYS do
    all[#all + 1] = KEYS[i]
    all[#all + 1] = ARGV[3 + i]
end
if #all > 0 then redis.call('MSET', unpack(all)) end
-- These are hints. If the user may not publish, the change is done nevertheless.
for i = conditions + 1, #KEYS do redis.pcall('PUBLISH', KEYS[i], '') end
return 1
