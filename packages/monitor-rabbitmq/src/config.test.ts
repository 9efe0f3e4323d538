import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { compileConfig, rabbitmqSection } from './config.ts'

const source = { name: 'test' }
const compile = (section: Record<string, unknown>) =>
  compileConfig(rabbitmqSection.parse({ amqp_url: 'amqp://u:p@h', ...section }, source).config)

test('the URL alone is enough; its secret part is not in what errors call the broker', () => {
  expect(compile({ amqp_url: 'amqp://u:p%40ss@broker:5673/my%2Fvhost?heartbeat=5' })).toEqual({
    url: 'amqp://u:p%40ss@broker:5673/my%2Fvhost?heartbeat=5',
    server: 'amqp://broker:5673/my%2Fvhost',
    ca: undefined,
    timeoutMs: 60_000,
    maxResultBytes: 64 * 1024 * 1024,
    queueExpiresMs: 1_800_000,
  })
  expect(compile({}).url).toBe('amqp://u:p@h?heartbeat=30')
})

test('user and password may come apart from it', () => {
  const options = compile({ amqp_url: 'amqps://h/v', username: 'me', password: 'p/w@d' })
  expect(options.url).toBe('amqps://me:p%2Fw%40d@h/v?heartbeat=30')
  expect(options.server).toBe('amqps://h/v')
})

test.each([
  [{ amqp_url: 'http://u:geheim@h' }, /amqp_url is no URL of a broker/],
  [{ amqp_url: 'amqp://u:ge#heim@h' }, /%23/],
  [{ amqp_url: 'amqp://u:geheim@h/a/b' }, /%2F/],
  [{ password: 'geheim' }, /rabbitmq\.password is given, and rabbitmq\.amqp_url has another/],
  [{ amqp_url: 'amqp://h', password: 'geheim' }, /without a user/],
  [{ queue_expires: 60 }, /more than rabbitmq\.timeout/],
  [{ ca_file: '/nowhere/ca.pem' }, /is not amqps/],
  [{ amqp_url: 'amqps://h', ca_file: '/nowhere/ca.pem' }, /cannot be read/],
])('what is wrong is said without the secret: %j', (section, message) => {
  const error = (() => {
    try {
      compile(section)
    } catch (error) {
      return error as Error
    }
    return undefined
  })()
  expect(error).toMatchObject({ code: 'LITHOPS_CONFIG', message: expect.stringMatching(message) })
  expect(error?.message).not.toContain('geheim')
})

test('a file of certificates must have one', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'lithops-ca-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'ca.pem')
  writeFileSync(file, 'nothing')
  expect(() => compile({ amqp_url: 'amqps://h', ca_file: file })).toThrow(/no certificate in PEM/)
})

test('a section without URL, or with a wrong key, says what is meant', () => {
  expect(() => rabbitmqSection.parse({}, source)).toThrow(/amqp_url is missing/)
  expect(() => rabbitmqSection.parse({ amqp_url: 'amqp://h', amqp_uri: 'x' }, source)).toThrow(/amqp_url/)
})
