import { describe, expect, test } from 'vitest'
import { DriverContractError } from '../errors/index.ts'
import { memoryCompute, memoryMonitor, memoryStorage } from '../testing/index.ts'
import { type ExecutorOptions, resolveExecutor } from './executor-options.ts'

const open = (options: object) =>
  resolveExecutor(options as ExecutorOptions, { className: 'FunctionExecutor' })

describe('drivers given in code', () => {
  test('are used when they have the shape of one', async () => {
    const parts = open({ backend: memoryCompute(), storage: memoryStorage(), monitoring: memoryMonitor() })
    expect((await parts.backends).map(backend => backend.name)).toEqual(['memory'])
    const storage = await parts.openStorage()
    expect(storage?.backend.name).toBe('memory')
    await storage?.backend.close()
    const monitor = await parts.openMonitor?.(undefined)
    expect(monitor?.name).toBe('memory')
    await monitor?.close()
  })

  for (const [option, kind, good] of [
    ['backend', 'backend', memoryCompute()],
    ['storage', 'storage', memoryStorage()],
    ['monitoring', 'monitor', memoryMonitor()],
  ] as const) {
    test.each([
      [{ ...good, specVersion: 2 }, `the ${kind} driver has specVersion 2, and this core needs 1`],
      [{ ...good, name: undefined }, `the ${kind} driver has no name`],
    ])(`are refused at once with what is wrong: ${option}, %o`, (driver, message) => {
      expect(() => open({ [option]: driver })).toThrow(DriverContractError)
      expect(() => open({ [option]: driver })).toThrow(`the option ${option}: ${message}`)
    })
  }

  test('without create() are refused', () => {
    for (const option of ['backend', 'storage', 'monitoring']) {
      const driver = { specVersion: 1, name: 'mine' }
      expect(() => open({ [option]: driver })).toThrow(/\(create\)|has no create\(config, context\)/)
    }
  })

  test('may have a section in a config that is given in code too', async () => {
    let got: unknown
    const create = (config: unknown) => {
      got = config
      return memoryStorage().create({}, {} as never)
    }
    const config = { my_store: { folder: '/data' } }
    expect(() => open({ config })).toThrow("there is no section 'my_store'")
    await open({ config, storage: { specVersion: 1, name: 'my_store', create } }).openStorage()
    expect(got).toEqual({ folder: '/data' })
  })
})
