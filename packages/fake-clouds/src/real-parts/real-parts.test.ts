import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { accepts, azurite, cephRgw, fakeGcs, minio, moto, rabbitmq, redis } from './index.ts'
import { defineRealPart } from './real-part.ts'

test('a part whose programs are not here says which, and how to get it', () => {
  const part = defineRealPart({
    name: 'Nothing',
    programs: ['sh', 'no-such-program'],
    install: 'make it',
    start: async () => ({ close: async () => {} }),
  })
  expect(part.missing()).toBe(
    'real part missing: Nothing (no no-such-program; make it, or node scripts/install-real-parts.mjs)',
  )
})

describe.each([minio, moto, cephRgw, azurite, fakeGcs].map(part => [part.name, part] as const))(
  '%s',
  (name, part) => {
    test('starts, answers, and leaves nothing', { timeout: 120_000 }, async context => {
      const missing = part.missing()
      if (missing !== undefined) context.skip(missing)
      const kind = name.split(' ')[0]?.toLowerCase()
      const folders = () => readdirSync(tmpdir()).filter(file => file.startsWith(`lithops-${kind}-`))
      const before = folders()
      const running = await part.start()
      const [folder] = folders().filter(file => !before.includes(file))
      expect((await fetch(running.endpoint)).status).toBeLessThan(500)
      await running.close()
      await running.close()
      await expect(fetch(running.endpoint)).rejects.toThrow()
      expect(existsSync(`${tmpdir()}/${folder}`)).toBe(false)
    })
  },
)

test('Redis starts, answers, and leaves nothing', { timeout: 120_000 }, async context => {
  const missing = redis.missing()
  if (missing !== undefined) context.skip(missing)
  const running = await redis.start()
  expect(await accepts(running.port)).toBe(true)
  await running.close()
  await running.close()
  expect(await accepts(running.port)).toBe(false)
})

test('RabbitMQ starts, comes back after it was stopped, and leaves nothing', {
  timeout: 240_000,
}, async context => {
  const missing = rabbitmq.missing()
  if (missing !== undefined) context.skip(missing)
  const folders = () => readdirSync(tmpdir()).filter(file => file.startsWith('lithops-rabbitmq-'))
  const before = folders()
  const running = await rabbitmq.start()
  const [folder] = folders().filter(file => !before.includes(file))
  await running.stop()
  await running.start()
  await running.close()
  await running.close()
  expect(existsSync(`${tmpdir()}/${folder}`)).toBe(false)
})
