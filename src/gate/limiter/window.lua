-- The sliding window that several gates share: what src/domain/limit.rs decides, in one step of the server and by its clock.
--
-- KEYS: one sorted set for each bucket, the times of allowed requests in microseconds as scores.
-- ARGV: "1" to count or "0" to look; a name that no other request has; then for each bucket the number of its budgets
-- and for each budget its seconds and requests.
-- Answers: the time, 1 if every budget has room, then for each budget the requests in its window and the time of the
-- next room. Those of a request that was counted hold it already.
local second = 1000000
local function text(number) return string.format('%.0f', number) end

local function move_back(key, step)
  local all = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  -- In parts: a call takes only so many arguments.
  for from = 1, #all, 1000 do
    local part = {}
    for place = from, math.min(from + 999, #all), 2 do
      part[#part + 1] = text(tonumber(all[place + 1]) - step)
      part[#part + 1] = all[place]
    end
    redis.call('ZADD', key, unpack(part))
  end
end

local clock = redis.call('TIME')
local now = clock[1] * second + clock[2]
local count_it, name = ARGV[1] == '1', ARGV[2]

local at, allowed = 3, true
local buckets, states = {}, {}
for i, key in ipairs(KEYS) do
  local budgets, longest = {}, 0
  for _ = 1, tonumber(ARGV[at]) do
    local seconds, requests = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    budgets[#budgets + 1] = { seconds * second, requests }
    if seconds > longest then longest = seconds end
    at = at + 2
  end
  at = at + 1

  -- A clock that steps back a little is taken to stand still. Where it was set back by more, all requests move back
  -- together, so that the newest was made just now.
  local own = now
  local newest = tonumber(redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2] or now)
  if newest - now > 2 * second then
    move_back(key, newest - now)
    redis.call('EXPIRE', key, longest + 1)
  elseif newest > now then
    own = newest
  end

  redis.call('ZREMRANGEBYSCORE', key, '-inf', text(own - longest * second))
  local total = redis.call('ZCARD', key)
  for _, budget in ipairs(budgets) do
    local window, requests = budget[1], budget[2]
    local count = redis.call('ZCOUNT', key, '(' .. text(own - window), '+inf')
    local room = now
    if count > 0 then
      -- As soon as the oldest leaves, or, where the budget was lowered, as soon as enough have left.
      local place = total - math.min(count, requests)
      room = tonumber(redis.call('ZRANGE', key, place, place, 'WITHSCORES')[2]) + window
    end
    if count >= requests then allowed = false end
    states[#states + 1] = { count, room, window }
  end
  buckets[i] = { own, longest }
end

if allowed and count_it then
  for i, key in ipairs(KEYS) do
    redis.call('ZADD', key, text(buckets[i][1]), name)
    redis.call('EXPIRE', key, buckets[i][2] + 1)
  end
  for _, state in ipairs(states) do
    if state[1] == 0 then state[2] = now + state[3] end
    state[1] = state[1] + 1
  end
end

local answer = { now, allowed and 1 or 0 }
for _, state in ipairs(states) do
  answer[#answer + 1] = state[1]
  answer[#answer + 1] = state[2]
end
return answer
