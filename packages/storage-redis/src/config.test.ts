import { ConfigError } from '@lithops/core/driver'
import { expect, test } from 'vitest'
import { placeOf } from './config.ts'
import { openRedis } from './open-redis.ts'

test('a server is named by its parts, or by a URL', () => {
  expect(placeOf({ host: 'h' })).toMatchObject({ host: 'h', port: 6379, db: 0, ssl: false })
  const url = 'rediss://anna:s%2Fcret@h:7000/3'
  const parts = { host: 'h', port: 7000, username: 'anna', password: 's/cret', db: 3, ssl: true }
  expect(placeOf({ url })).toMatchObject(parts)
  expect(placeOf({ url, port: 7000 })).toMatchObject(parts)
  expect(placeOf({ url: 'redis://[::1]' })).toMatchObject({ host: '::1', port: 6379 })
  expect(placeOf({ host: 'h', tls: true }).ssl).toBe(true)
})

test('refuses what names no server, or two, and shows no secret', () => {
  expect(() => placeOf({})).toThrow('give host, or url')
  expect(() => placeOf({ url: 'redis://h:7000', port: 1 })).toThrow('another port')
  expect(() => placeOf({ host: 'h', username: 'anna' })).toThrow('without password')
  expect(() => placeOf({ host: 'h', ssl: true, tls: false })).toThrow('mean the same')
  for (const url of ['http://:secret@h', 'redis://:secret@h/x', 'secret']) {
    expect(() => placeOf({ url })).toThrow(ConfigError)
    expect(() => placeOf({ url })).not.toThrow('secret')
  }
  expect(() => openRedis({ host: 'h', ssl: true, ssl_ca_certs: '/no/such/file' })).toThrow('/no/such/file')
})

test('workers are told the place, and get the password by another way', async () => {
  const storage = openRedis({ url: 'redis://anna:secret@h:7000/3', storage_bucket: 'mine' })
  expect(storage.defaultBucket).toBe('mine')
  const config = { host: 'h', port: 7000, username: 'anna', db: 3, ssl: false, storage_bucket: 'mine' }
  expect(storage.workerConfig()).toEqual(config)
  expect(storage.workerSecrets()).toEqual({ password: 'secret' })
  await storage.close()
  const open = openRedis({ host: 'h' })
  expect([open.workerSecrets(), open.defaultBucket]).toEqual([{}, 'storage'])
  await open.close()
})
