package serverstore

import "github.com/redis/go-redis/v9"

// The scripts run inside Redis, one at a time, so that whatever takes several
// commands happens as a whole or not at all. A record is a hash of these fields
// under lectern:session:HASH; the set of all of them, in the order of their
// ends, holds HASH:USER, so that whoever clears away an end knows whose list
// it stands in even when the record is gone already. Because of that the names
// of some keys are found only on the way: this is for one Redis, with as many
// replicas as one likes, and not for a cluster of several. What all names begin
// with is the last argument of each script.
const scriptWords = `
local FIELDS = {'user', 'role', 'methods', 'remember', 'auth_at', 'created_at', 'seen_at', 'idle_until', 'expires_at', 'address', 'device'}
local PREFIX = ARGV[#ARGV]
local ALL = PREFIX .. 'sessions'

local function record(hash) return PREFIX .. 'session:' .. hash end
local function person(user) return PREFIX .. 'user:' .. user end
local function member(hash, user) return hash .. ':' .. user end
local function milli(number) return string.format('%.0f', number) end

-- The list of a person lasts as long as the longest of its sessions.
local function lasts(key, life)
  if redis.call('PTTL', key) < life then redis.call('PEXPIRE', key, milli(life)) end
end

-- So does the set of all, or what a program that was killed has left would lie
-- there for ever. A set that was begun before it was given a life has in it the
-- ends of sessions that nobody has counted: it gets that of the last of them.
local function allLast(seen, life)
  if redis.call('PTTL', ALL) == -1 then
    local last = redis.call('ZREVRANGE', ALL, 0, 0, 'WITHSCORES')
    if last[2] then life = math.max(life, tonumber(last[2]) - seen) end
  end
  lasts(ALL, life)
end

-- A visit moves the end of a session that is there. Who has read the record
-- says whose it is.
local function moved(hash, user, seen, idle)
  local life = math.max(1, idle - seen)
  redis.call('PEXPIRE', record(hash), milli(life))
  redis.call('ZADD', ALL, 'XX', milli(idle), member(hash, user))
  lasts(person(user), life)
  allLast(seen, life)
end

local function removed(hash, user)
  redis.call('ZREM', ALL, member(hash, user))
  redis.call('ZREM', person(user), hash)
  return redis.call('DEL', record(hash))
end
`

// script is a text that Redis runs and keeps, and knows by its hash from then on.
type script struct {
	*redis.Script
	text string
}

func newScript(text string) script {
	text = scriptWords + text
	return script{redis.NewScript(text), text}
}

var (
	// find: HASH. It gives the fields, or nothing.
	redisFind = newScript(`
local found = redis.call('HMGET', record(ARGV[1]), unpack(FIELDS))
return found[1] and found
`)

	// visit: HASH, now, every, idle. It gives the fields and whether the visit
	// was noted. A Redis that is full, or may only be read, refuses the note
	// before anything is changed, and the record is given all the same.
	redisVisit = newScript(`
local found = redis.call('HMGET', record(ARGV[1]), unpack(FIELDS))
if not found[1] then return false end
local now, every, idle = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local seen, idle_until, expires = tonumber(found[7]), tonumber(found[8]), tonumber(found[9])
found[12] = 0
if now < idle_until and now < expires and now - seen >= every then
  local next_end = expires
  if found[4] ~= '1' then next_end = math.min(now + idle, expires) end
  local noted = redis.pcall('HSET', record(ARGV[1]), 'seen_at', milli(now), 'idle_until', milli(next_end))
  if type(noted) == 'number' then
    moved(ARGV[1], found[1], now, next_end)
    found[7], found[8], found[12] = milli(now), milli(next_end), 1
  end
end
return found
`)

	// create: HASH, and the values of the fields in their order. It gives 0
	// where there is one already.
	redisCreate = newScript(`
local hash, key = ARGV[1], record(ARGV[1])
if redis.call('EXISTS', key) == 1 then return 0 end
local values = {}
for i, field in ipairs(FIELDS) do
  values[2 * i - 1], values[2 * i] = field, ARGV[i + 1]
end
local user, created, seen, idle = ARGV[2], ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
redis.call('HSET', key, unpack(values))
redis.call('ZADD', ALL, milli(idle), member(hash, user))
redis.call('ZADD', person(user), created, hash)
moved(hash, user, seen, idle)
return 1
`)

	// touch: HASH, seen, idle until. It gives 0 where there is none.
	redisTouch = newScript(`
local user = redis.call('HGET', record(ARGV[1]), 'user')
if not user then return 0 end
redis.call('HSET', record(ARGV[1]), 'seen_at', ARGV[2], 'idle_until', ARGV[3])
moved(ARGV[1], user, tonumber(ARGV[2]), tonumber(ARGV[3]))
return 1
`)

	// delete: HASH, and whose it must be, or nothing. It gives how many.
	redisDelete = newScript(`
local user = redis.call('HGET', record(ARGV[1]), 'user')
if not user or (ARGV[2] ~= '' and ARGV[2] ~= user) then return 0 end
return removed(ARGV[1], user)
`)

	// list: USER, now, limit. It gives the hash and the fields of each session
	// that is not over, the latest first, and takes off the list whatever leads
	// nowhere any more.
	redisList = newScript(`
local key, now, limit = person(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local listed, from = {}, 0
while #listed < limit do
  local hashes = redis.call('ZREVRANGE', key, from, from + limit - 1)
  if #hashes == 0 then break end
  for _, hash in ipairs(hashes) do
    local found = redis.call('HMGET', record(hash), unpack(FIELDS))
    if not found[1] then
      removed(hash, ARGV[1])
    else
      from = from + 1
      if now < tonumber(found[8]) and #listed < limit then
        found[12] = hash
        listed[#listed + 1] = found
      end
    end
  end
end
return listed
`)

	// end: USER or nothing for everybody, cursor, how many at a time, the HASH
	// to leave. It ends some of the sessions and gives where to go on and how
	// many it has ended.
	redisEnd = newScript(`
local user, ended = ARGV[1], 0
local some = redis.call('ZSCAN', user == '' and ALL or person(user), ARGV[2], 'COUNT', ARGV[3])
for i = 1, #some[2], 2 do
  local hash = string.sub(some[2][i], 1, 64)
  local whose = user == '' and string.sub(some[2][i], 66) or user
  if hash ~= ARGV[4] then ended = ended + removed(hash, whose) end
end
return {some[1], ended}
`)

	// role: USER, cursor, how many at a time, the role. It writes the role into
	// some of the sessions and gives where to go on and how many have it.
	redisRole = newScript(`
local some, set = redis.call('ZSCAN', person(ARGV[1]), ARGV[2], 'COUNT', ARGV[3]), 0
for i = 1, #some[2], 2 do
  local hash = some[2][i]
  if redis.call('EXISTS', record(hash)) == 1 then
    redis.call('HSET', record(hash), 'role', ARGV[4])
    set = set + 1
  else
    removed(hash, ARGV[1])
  end
end
return {some[1], set}
`)

	// sweep: now, limit. It gives how many ends it has cleared away. Redis drops
	// the records by itself when their time is over; what it leaves are the
	// places where they were listed.
	redisSweep = newScript(`
local over = redis.call('ZRANGEBYSCORE', ALL, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, listed in ipairs(over) do
  removed(string.sub(listed, 1, 64), string.sub(listed, 66))
end
return #over
`)

	redisScripts = []script{redisFind, redisVisit, redisCreate, redisTouch, redisDelete, redisList, redisEnd, redisRole, redisSweep}
)
