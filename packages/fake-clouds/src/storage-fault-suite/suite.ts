import type { StorageBackend } from '@lithops/core/driver'
import { FaultProxy } from '../fault-proxy/index.ts'
import { accessCases } from './access-cases.ts'
import { bodyCases } from './body-cases.ts'
import { FaultContext } from './context.ts'
import type { FaultDialect } from './dialect.ts'
import { keyCases } from './key-cases.ts'
import { passingCases } from './passing-cases.ts'
import { uploadCases } from './upload-cases.ts'

export interface StorageFaultSuiteOptions<K> {
  /** A running server and the `test` of `withRealPart`. */
  readonly server: {
    readonly part: K & { readonly endpoint: string }
    readonly test: (name: string, run: () => Promise<void>, options?: { readonly timeout?: number }) => void
  }
  /** Opens the driver's storage at that endpoint, with other keys than the server's when they are given. */
  readonly open: (endpoint: string, keys: K) => Promise<StorageBackend>
  readonly dialect: FaultDialect<K>
  /** The server looks at signatures and clocks. */
  readonly checksSignatures: boolean
  /** How many keys the longest listing has. Default: 10,500. */
  readonly manyKeys?: number
}

/** A case of the suite. */
export interface FaultCase<K = unknown> {
  readonly name: string
  readonly needsSignatures?: boolean
  readonly timeoutMs?: number
  readonly run: (context: FaultContext<K>) => Promise<void>
}

const CASES: readonly FaultCase[] = [
  ...accessCases,
  ...passingCases,
  ...bodyCases,
  ...uploadCases,
  ...keyCases,
]

/**
 * Tries a driver with all that goes wrong between it and a real server. After each case the bucket has neither objects nor
 * unfinished uploads, and no error that was seen has shown a secret. `more` are cases of one service.
 */
export function storageFaultSuite<K>(
  options: StorageFaultSuiteOptions<K>,
  more: readonly FaultCase<K>[] = [],
): void {
  const { server, open, dialect } = options
  for (const { name, needsSignatures = false, timeoutMs = 60_000, run } of [
    ...(CASES as readonly FaultCase<K>[]),
    ...more,
  ]) {
    if (needsSignatures && !options.checksSignatures) continue
    if (dialect.skip?.[name] !== undefined) continue
    const test = async () => {
      await using proxy = await FaultProxy.start({ target: server.part.endpoint })
      const direct = await open(server.part.endpoint, server.part)
      await using context = new FaultContext<K>({
        options,
        proxy,
        direct,
        backend: await open(proxy.url, server.part),
      })
      await context.begin()
      await run(context)
      await context.checkLeftovers()
      context.checkErrors()
    }
    server.test(`faults: ${name}`, test, { timeout: timeoutMs })
  }
}
