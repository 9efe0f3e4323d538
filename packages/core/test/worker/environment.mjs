// A worker process of the platform in cloud-platform.ts: a line of base64 comes in, a line of base64 goes out.

import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { CloudWorker } from '../../dist/worker/index.js'

const worker = new CloudWorker({ workerId: `environment-${process.pid}` })
const pipe = new Socket({ fd: 3, readable: true, writable: true })
pipe.write(`${JSON.stringify(worker.metadata)}\n`)
pipe.on('end', () => process.exit(0))
for await (const line of createInterface({ input: pipe })) {
  const reply = await worker.run(Buffer.from(line, 'base64'))
  pipe.write(`${Buffer.from(reply).toString('base64')}\n`)
}
