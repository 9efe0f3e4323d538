/** A job whose program is killed in the middle: another one, on another machine as it were, has all results. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FunctionExecutor, Storage } from '@lithops/core'
import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'

const server = withRealPart(minio)
const CALLS = 12
const filesIn = (folder: string) => readdirSync(folder).length

/** Begins a job and waits for it. Calls leave a mark each time they run. */
const program = (config: object, marks: string) => `
import { writeFileSync } from 'node:fs'
import { FunctionExecutor } from '@lithops/core'
const fexec = new FunctionExecutor({ config: ${JSON.stringify(config)} })
const marks = ${JSON.stringify(marks)}
const futures = fexec.map(async (side, context) => {
  writeFileSync(marks + '/' + context.callId + '-' + process.pid, '')
  await new Promise(resolve => setTimeout(resolve, 250))
  return side ** 2
}, Array.from({ length: ${CALLS} }, (_, i) => i))
console.log(futures[0].executorId + '-' + futures[0].jobId)
await fexec.getResult(futures)
`

server.test(
  'a killed program leaves a job that another finishes, and a bucket that is empty then',
  async () => {
    const { endpoint, accessKeyId, secretAccessKey } = server.part
    const config = {
      lithops: { backend: 'localhost', storage: 'minio', monitoring: 'storage' },
      localhost: { worker_processes: 2 },
      minio: {
        endpoint,
        access_key_id: accessKeyId,
        secret_access_key: secretAccessKey,
        storage_bucket: 'attach-test',
      },
    }
    await using storage = new Storage({ config })
    await storage.createBucket()
    const marks = mkdtempSync(path.join(tmpdir(), 'lithops-attach-'))
    try {
      // in this package, from which the driver is found
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program(config, marks)], {
        cwd: path.join(import.meta.dirname, '..'),
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let output = ''
      child.stdout.on('data', (piece: Buffer) => {
        output += piece.toString()
      })
      const exited = once(child, 'exit')
      await expect.poll(() => filesIn(marks), { timeout: 60_000 }).toBeGreaterThanOrEqual(6)
      child.kill('SIGKILL')
      await exited
      expect(filesIn(marks)).toBeLessThan(CALLS)
      expect(await storage.listKeys()).not.toEqual([])

      const job = await FunctionExecutor.attach<number>(output.trim(), { config })
      expect(job.info).toMatchObject({ jobKey: output.trim(), calls: CALLS })
      expect(await job.getResult()).toEqual(Array.from({ length: CALLS }, (_, i) => i ** 2))
      await job.close()
      // workers of the killed program that were late remove what they wrote
      await expect.poll(() => storage.listKeys(), { timeout: 30_000 }).toEqual([])
    } finally {
      rmSync(marks, { recursive: true, force: true })
    }
  },
  { timeout: 180_000 },
)
