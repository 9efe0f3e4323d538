import { FakeGcs } from '@lithops/fake-clouds/gcs'
import { afterAll, beforeAll, test } from 'vitest'
import { openStorage } from './open-storage.ts'

/** What the suites take for a server: the stand-in of the service, which checks tokens, rights and signatures. */
export function withFakeGcs() {
  let fake: FakeGcs | undefined
  beforeAll(async () => {
    fake = await FakeGcs.start()
  })
  afterAll(() => fake?.close())
  const running = () => {
    if (fake === undefined) throw new Error('the stand-in is not running')
    return fake
  }
  return {
    get fake() {
      return running()
    },
    get part() {
      const { endpoint, owner } = running()
      return { endpoint, keyFile: owner.keyFile }
    },
    open: (more: Readonly<Record<string, unknown>> = {}) => {
      const { endpoint, owner } = running()
      return openStorage({ endpoint, credentials: owner.keyFile, ...more })
    },
    test: (name: string, run: () => Promise<void>, options: { readonly timeout?: number } = {}) =>
      test(name, options, run),
  }
}
