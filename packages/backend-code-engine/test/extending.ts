import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import { type ExecutorOptions, FunctionExecutor } from '@lithops/core'
import type { FakeCodeEngine } from '@lithops/fake-clouds/code-engine'
import { rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { afterAll, afterEach } from 'vitest'
import { cloud } from './cloud.ts'

/** What the code of functions here has in it. */
export const WORDS = 'words of the code'

/**
 * Jobs whose function is in their image, for one test file. Results come by RabbitMQ, and there is no storage: what is sent is in
 * config maps.
 */
export function extending() {
  const folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-extended-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const there = cloud({ projects: ['there'] })
  const broker = withRealPart(rabbitmq)
  afterEach(async () => (await there.start()).clear())
  return {
    test: broker.test,
    start: () => there.start(),
    async open(
      section: Record<string, unknown> = {},
      serverless: Record<string, unknown> = {},
    ): Promise<FunctionExecutor> {
      const backend = await there.open({ project_name: 'there', ...section })
      const config: NonNullable<ExecutorOptions['config']> = {
        lithops: { storage: 'storageless', rabbitmq_monitor: true },
        rabbitmq: { amqp_url: broker.part.url },
        serverless,
      }
      return new FunctionExecutor({ backend, config })
    },
    async program(name: string) {
      const filepath = path.join(folder, `${name}.ts`)
      const code = `export function scale(x: number) { return ['${WORDS} ${name}', x * 5] as const }\n`
      writeFileSync(filepath, code)
      const module = (await import(/* @vite-ignore */ pathToFileURL(filepath).href)) as {
        scale: (x: number) => readonly [string, number]
      }
      return { filepath, scale: module.scale }
    },
  }
}

/** The activations of all runs that were asked for, unpacked. */
export function batchesOf({ requests }: FakeCodeEngine): Buffer[] {
  return requests
    .filter(({ action }) => action === 'POST config_maps')
    .map(({ body }) => (JSON.parse(body) as { readonly data: { readonly batch: string } }).data.batch)
    .map(batch => brotliDecompressSync(Buffer.from(batch, 'base64')))
}

/** How many of them have code. */
export function carried(cloud: FakeCodeEngine): number {
  return batchesOf(cloud).filter(batch => batch.includes(WORDS)).length
}

/** Pushes of images of that name. */
export function pushesOf({ registry }: FakeCodeEngine, name: string): string[] {
  return registry.requests.filter(request => request.startsWith(`PUT ${name}:`))
}
