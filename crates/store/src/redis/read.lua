-- KEYS: the keys to read. ARGV: the longest content.
-- Returns the incarnation, then for each key its version, '' for "no record", and its content, '' if it cannot be a record.
local answer = { incarnation }
for i = 1, #KEYS do
    local version, content, failure = look_up(KEYS[i], tonumber(ARGV[1]))
    if failure then return failure end
    answer[2 * i] = version
    answer[2 * i + 1] = content
end
return answer
