import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { build } from 'esbuild'
import { expect } from 'vitest'
import { openMonitor } from './open-monitor.ts'

const server = withRealPart(rabbitmq)

server.test(
  "the worker's half bundled into one file publishes from a folder that has no packages",
  async () => {
    const { monitor } = await openMonitor({ amqp_url: server.part.url })
    const job = { executorId: 'bundled-0', jobId: 'M000' }
    const address = await monitor.publisherAddress(job)
    const folder = await mkdtemp(path.join(tmpdir(), 'lithops-bundled-'))
    const entry = path.join(folder, 'entry.js')
    await writeFile(
      entry,
      `import { publisher } from ${JSON.stringify(monitor.workerModule)}
       const [address, secrets, job] = process.argv.slice(2).map(text => JSON.parse(text))
       const half = await publisher.open(address, { secrets })
       await half.publish(Buffer.from('from a bundle'), job, { callId: 0, attempt: 0 })
       await half.close()`,
    )
    const outfile = path.join(folder, 'worker.mjs')
    const banner = {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    }
    await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      banner,
      logLevel: 'error',
    })
    const args = [address, monitor.workerSecrets?.(), job].map(value => JSON.stringify(value))
    await promisify(execFile)(process.execPath, [outfile, ...args], { cwd: folder, timeout: 30_000 })
    const ending = new AbortController()
    const frames: string[] = []
    for await (const bytes of monitor.watch(job, { signal: ending.signal, openCalls: () => 1 })) {
      frames.push(Buffer.from(bytes).toString())
      ending.abort()
    }
    expect(frames).toEqual(['from a bundle'])
    await monitor.close()
    await rm(folder, { recursive: true })
  },
  { timeout: 120_000 },
)
