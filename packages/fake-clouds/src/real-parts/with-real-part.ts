import { afterAll, beforeAll, test } from 'vitest'
import type { RealPart, RunningPart } from './real-part.ts'

const START_MS = 120_000

/**
 * Starts a real part for the tests of a file, and ends it after them. `test` registers tests that need it: without the
 * part they are skipped, with the reason. `part` is there inside of tests.
 */
export function withRealPart<P extends RunningPart>(definition: RealPart<P>) {
  let part: P | undefined
  const missing = definition.missing()
  beforeAll(async () => {
    if (missing === undefined) part = await definition.start()
  }, START_MS)
  afterAll(() => part?.close(), START_MS)
  return {
    get part(): P {
      if (part === undefined) throw new Error(`${definition.name} is not running`)
      return part
    },
    test: (name: string, run: () => Promise<void> | void, options: { readonly timeout?: number } = {}) =>
      test(name, options, async context => {
        if (missing !== undefined) context.skip(missing)
        await run()
      }),
  }
}
