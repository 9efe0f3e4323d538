import { createHash } from 'node:crypto'

/**
 * What the server does at once, so that nobody sees half of it. The layout, for a bucket `b`:
 *
 *   lithops:{b}                 there is such a bucket
 *   lithops:{b}:keys            sorted set of the keys, in the order of their bytes
 *   lithops:{b}:object:<key>    hash: version, size, parts, at (ms), type
 *   lithops:{b}:data:<version>:<part>   the bytes, in parts of PART_BYTES
 *
 * The braces put all of a bucket on one node of a cluster. KEYS[1] is the bucket, the others are made of it.
 */
const BUCKET = `
local bucket = KEYS[1]
local index = bucket .. ':keys'
local function object(key) return bucket .. ':object:' .. key end
local function data(version, part) return bucket .. ':data:' .. version .. ':' .. part end
local function drop(version, parts)
  for part = 0, tonumber(parts) - 1 do redis.call('UNLINK', data(version, part)) end
end
if redis.call('EXISTS', bucket) == 0 then return 'no bucket' end
`

/** Makes an object of bytes that are given, or of parts that were written before. Says if it did. */
const COMMIT = `${BUCKET}
local key, version, size, parts, at, type, ifAbsent = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local old = redis.call('HMGET', object(key), 'version', 'parts')
if ifAbsent == '1' and old[1] then
  if ARGV[8] == nil then drop(version, parts) end
  return 0
end
if ARGV[8] ~= nil then
  redis.call('SET', data(version, 0), ARGV[8])
else
  for part = 0, tonumber(parts) - 1 do
    if redis.call('EXISTS', data(version, part)) == 0 then return 'lost' end
  end
  for part = 0, tonumber(parts) - 1 do redis.call('PERSIST', data(version, part)) end
end
if old[1] then drop(old[1], old[2]) end
redis.call('HSET', object(key), 'version', version, 'size', size, 'parts', parts, 'at', at, 'type', type)
redis.call('ZADD', index, 0, key)
return 1
`

/** What is known of an object, and its bytes from 'start' on: as many as are in one part and not after 'stop'. */
const READ = `${BUCKET}
local found = redis.call('HMGET', object(ARGV[1]), 'version', 'size', 'parts', 'at', 'type')
if not found[1] then return nil end
local start, stop, partBytes = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if stop > tonumber(found[2]) then stop = tonumber(found[2]) end
if start >= stop then return found end
local part = math.floor(start / partBytes)
local from = start - part * partBytes
local to = math.min(stop - part * partBytes, partBytes) - 1
local name = data(found[1], string.format('%d', part))
found[6] = redis.call('GETRANGE', name, from, to)
return found
`

/** Up to so many keys after one, or from it on, with what is known of their objects. */
const LIST = `${BUCKET}
local keys = redis.call('ZRANGEBYLEX', index, ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
local entries = {}
for i, key in ipairs(keys) do
  entries[i] = { key, redis.call('HMGET', object(key), 'version', 'size', 'at') }
end
return entries
`

const REMOVE = `${BUCKET}
for _, key in ipairs(ARGV) do
  local found = redis.call('HMGET', object(key), 'version', 'parts')
  if found[1] then
    drop(found[1], found[2])
    redis.call('DEL', object(key))
    redis.call('ZREM', index, key)
  end
end
return 0
`

/** Within a bucket. 'too large' for objects whose copying would keep everybody else waiting. */
const COPY = `${BUCKET}
local from, to, version, at = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local found = redis.call('HMGET', object(from), 'version', 'size', 'parts', 'type')
if not found[1] then return nil end
if tonumber(found[2]) > tonumber(ARGV[5]) then return 'too large' end
for part = 0, tonumber(found[3]) - 1 do
  redis.call('COPY', data(found[1], part), data(version, part))
end
local old = redis.call('HMGET', object(to), 'version', 'parts')
if old[1] then drop(old[1], old[2]) end
redis.call('HSET', object(to), 'version', version, 'size', found[2], 'parts', found[3], 'at', at, 'type', found[4])
redis.call('ZADD', index, 0, to)
return 1
`

function script(text: string) {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

export const SCRIPTS = {
  commit: script(COMMIT),
  read: script(READ),
  list: script(LIST),
  remove: script(REMOVE),
  copy: script(COPY),
} as const

export type Script = keyof typeof SCRIPTS

export function bucketKey(bucket: string): string {
  return `lithops:{${bucket}}`
}

export function partKey(bucket: string, version: string, part: number): string {
  return `${bucketKey(bucket)}:data:${version}:${part}`
}
