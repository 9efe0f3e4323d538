// Runs in an empty folder, in a process that has never seen the user's files.

import { encodeError } from 'lithops:source/codec/error.ts'
import { decodeValue, encodeValue } from 'lithops:source/codec/value.ts'
import { instantiateFunction } from 'lithops:source/worker/instantiate.ts'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { WorkerAnswer, WorkerRequest } from './protocol.ts'

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))
const text = (value: Uint8Array) => Buffer.from(value).toString('base64')
const answer = (message: WorkerAnswer) => process.send!(message)
function plain(error: unknown): string {
  try {
    return error instanceof Error
      ? `${error.name}: ${error.message}\n${error.stack}`
      : `thrown: ${String(error)}`
  } catch {
    return 'thrown: something that cannot be read'
  }
}

process.on('message', async (request: WorkerRequest) => {
  const { id } = request
  let instantiated: ReturnType<typeof instantiateFunction>
  let args: unknown[]
  try {
    const file = path.resolve(`${request.hash}.mjs`)
    if (request.code !== undefined) writeFileSync(file, bytes(request.code))
    const module = await import(pathToFileURL(file).href)
    instantiated = instantiateFunction(module.default, bytes(request.env))
    args = decodeValue(bytes(request.args), instantiated.classes) as unknown[]
  } catch (error) {
    answer({ id, kind: 'broken', text: `the worker could not make the function: ${plain(error)}` })
    return
  }
  try {
    const result = await (instantiated.fn as (...args: unknown[]) => unknown)(...args)
    answer({ id, kind: 'value', bytes: text(encodeValue(result, instantiated.classes)) })
  } catch (error) {
    answer({ id, kind: 'thrown', bytes: text(encodeError(error, instantiated.classes)), text: plain(error) })
  }
})
process.on('disconnect', () => process.exit(0))
process.send!({ id: -1, kind: 'ready' })
