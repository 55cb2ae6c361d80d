-- One tenant's account, changed in one step, by the rules of limits/base.py; limits/memory.py does the same.
-- A deed that was sent again, because the connection broke before its answer came, counts once for its ticket.
-- KEYS[1]: the account, a hash: "free" is when the last place in the minute ends; "t:<ticket>" a request being answered,
--   "begun ttl day characters tokens money"; "d:<day>" what was spent that day, "characters tokens money".
-- KEYS[2]: there for a while after the ticket was settled.
-- ARGV: what to do, now (microseconds; empty: Redis's own time), the ticket, and what the deed needs.
-- Answer: whether it was refused ("1" or ""), now, free, open, what is spent and what is held of today's budgets.
local deed, now, ticket = ARGV[1], tonumber(ARGV[2]), ARGV[3]
if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end
local DAY = 86400 * 1000000
local today = math.floor(now / DAY)
local key = KEYS[1]

local function numbers(text)
    local found = {}
    for word in string.gmatch(text, '%S+') do found[#found + 1] = tonumber(word) end
    return found
end

local function written(...)
    local words = {}
    for place, number in ipairs({...}) do words[place] = string.format('%.0f', number) end
    return table.concat(words, ' ')
end

local free, open, mine = 0, 0, nil
local spent, held = {0, 0, 0}, {0, 0, 0}
local fields = redis.call('HGETALL', key)
for place = 1, #fields, 2 do
    local name, value = fields[place], fields[place + 1]
    local kind = string.sub(name, 1, 2)
    if name == 'free' then
        free = tonumber(value)
    elseif kind == 'd:' then
        local day = tonumber(string.sub(name, 3))
        if day == today then
            spent = numbers(value)
        elseif day < today - 1 then
            redis.call('HDEL', key, name)
        end
    elseif kind == 't:' then
        local found = numbers(value)
        if math.abs(now - found[1]) >= found[2] then
            redis.call('HDEL', key, name)
        else
            open = open + 1
            if name == 't:' .. ticket then mine = found end
            if found[3] == today then
                for budget = 1, 3 do held[budget] = held[budget] + found[3 + budget] end
            end
        end
    end
end

local refused = ''
if deed == 'enter' then
    -- ARGV: requests a minute and microseconds for each (0: no limit), concurrent (0: no limit), ttl
    local requests, every, concurrent, ttl = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
    local place = math.max(now, math.min(free, now + every * requests))
    if place < free then  -- the clock was put back: else the wait would last until it is as late again
        free = place
        redis.call('HSET', key, 'free', written(free))
    end
    if mine then
        refused = ''
    elseif (requests > 0 and place - every * (requests - 1) > now) or (concurrent > 0 and open >= concurrent) then
        refused = '1'
    else
        free = place + every
        redis.call('HSET', key, 'free', written(free), 't:' .. ticket, written(now, ttl, today, 0, 0, 0))
        open = open + 1
    end
elseif deed == 'reserve' and not (mine and mine[4] + mine[5] + mine[6] > 0) then
    -- ARGV: for each budget its limit (-1: none) and what is asked for
    local asked = {tonumber(ARGV[5]), tonumber(ARGV[7]), tonumber(ARGV[9])}
    for budget = 1, 3 do
        local quota = tonumber(ARGV[2 + 2 * budget])
        if quota >= 0 and asked[budget] > 0 and spent[budget] + held[budget] + asked[budget] > quota then refused = '1' end
    end
    if refused == '' and mine then
        for budget = 1, 3 do held[budget] = held[budget] + asked[budget] end
        redis.call('HSET', key, 't:' .. ticket, written(mine[1], mine[2], today, asked[1], asked[2], asked[3]))
    end
elseif deed == 'settle' then
    -- ARGV: what was used of each budget
    local day, used = today, {tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])}
    if mine then
        day = mine[3]
        redis.call('HDEL', key, 't:' .. ticket)
        open = open - 1
        for budget = 1, 3 do held[budget] = held[budget] - (day == today and mine[3 + budget] or 0) end
    end
    local first = redis.call('SET', KEYS[2], '', 'NX', 'PX', 600000)
    if first and used[1] + used[2] + used[3] > 0 then
        local before = day == today and spent or numbers(redis.call('HGET', key, 'd:' .. written(day)) or '0 0 0')
        for budget = 1, 3 do before[budget] = before[budget] + used[budget] end
        redis.call('HSET', key, 'd:' .. written(day), written(before[1], before[2], before[3]))
    end
end
redis.call('PEXPIRE', key, 3 * 86400000)

return {refused, written(now), written(math.max(now, free)), written(open), written(unpack(spent)), written(unpack(held))}
