import type { StorageBackend } from '@lithops/core/driver'
import { FaultProxy } from '../fault-proxy/index.ts'
import type { S3Server } from '../real-parts/index.ts'
import { accessCases } from './access-cases.ts'
import { bodyCases } from './body-cases.ts'
import { FaultContext } from './context.ts'
import { keyCases } from './key-cases.ts'
import { passingCases } from './passing-cases.ts'
import { uploadCases } from './upload-cases.ts'

export interface S3FaultSuiteOptions {
  /** A running server and the `test` of `withRealPart`. */
  readonly server: {
    readonly part: S3Server
    readonly test: (name: string, run: () => Promise<void>, options?: { readonly timeout?: number }) => void
  }
  /** Opens the driver's storage at that endpoint, with other keys than the server's when they are given. */
  readonly open: (
    endpoint: string,
    keys: { readonly accessKeyId: string; readonly secretAccessKey: string },
  ) => Promise<StorageBackend>
  /** The server looks at signatures and clocks. */
  readonly checksSignatures: boolean
  /** How many keys the longest listing has. Default: 10,500. */
  readonly manyKeys?: number
}

/** A case of the suite. */
export interface FaultCase {
  readonly name: string
  readonly needsSignatures?: boolean
  readonly timeoutMs?: number
  readonly run: (context: FaultContext) => Promise<void>
}

const CASES: readonly FaultCase[] = [
  ...accessCases,
  ...passingCases,
  ...bodyCases,
  ...uploadCases,
  ...keyCases,
]

/**
 * Tries a driver of the S3 family with all that goes wrong between it and a real server. After each case the bucket has
 * neither objects nor unfinished uploads, and no error that was seen has shown a secret.
 */
export function s3FaultSuite(options: S3FaultSuiteOptions): void {
  const { server, open } = options
  for (const { name, needsSignatures = false, timeoutMs = 60_000, run } of CASES) {
    if (needsSignatures && !options.checksSignatures) continue
    const test = async () => {
      await using proxy = await FaultProxy.start({ target: server.part.endpoint })
      const direct = await open(server.part.endpoint, server.part)
      await using context = new FaultContext({
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
