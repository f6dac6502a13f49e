-- KEYS: those of the conditions, then those to write.
-- ARGV: '' or '=' and the incarnation; the number of conditions; for each its version, '' for "no record"; the new values.
-- Answers with 1 if it is done, with 0 if it is refused.
if ARGV[1] ~= '' and ARGV[1] ~= '=' .. incarnation then return 0 end
local conditions = tonumber(ARGV[2])
for i = 1, conditions do
    local value = redis.call('GET', KEYS[i])
    -- What is not ours is there all the same.
    local version = value and (string.match(value, '^(%d+)\n') or '?') or ''
    if version ~= ARGV[2 + i] then return 0 end
end
-- One command for all, so that there is no half of it: whatever it may be refused for, it is refused for before it begins.
local all = {}
for i = conditions + 1, #KEYS do
    all[#all + 1] = KEYS[i]
    all[#all + 1] = ARGV[2 + i]
end
if #all > 0 then redis.call('MSET', unpack(all)) end
-- A hint: that one may not give it does not undo what is done.
for i = conditions + 1, #KEYS do redis.pcall('PUBLISH', KEYS[i], '') end
return 1
