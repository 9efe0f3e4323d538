// @ts-check
/** The half that runs remotely: takes the platform's event, gives it to core's worker, and sends what that says. */
import { pathToFileURL } from 'node:url'
import { NotSupportedError } from '@lithops/core/driver'
import { ActivationRunner } from '@lithops/core/worker'

/** @type {import('@lithops/core/worker').WorkerHost} */
const host = {
  facts: () => ({
    workerId: `tiny-${process.pid}`,
    nodeVersion: process.version,
    lithopsVersion: '0.1.0',
    coldStart: true,
    initMs: performance.now(),
  }),
  emit: frames => process.send?.(frames),
  importModule: async (_hash, code) => {
    if (code.kind !== 'file') throw new NotSupportedError(`The function did not come as a file.`)
    return (await import(pathToFileURL(code.path).href)).default
  },
  readLocation: async location => {
    if (location.kind !== 'file') throw new NotSupportedError(`Cannot read from '${location.kind}'.`)
    const { readFile } = await import('node:fs/promises')
    return readFile(location.path)
  },
  openStorage: () => {
    throw new NotSupportedError('This job has no storage.')
  },
  poisoned: () => {}, // The process ends with its activation anyway.
}

// The listener stays, so that the process does too until it is ended: what it sent last would be lost with it.
process.on('message', async payload => {
  await new ActivationRunner(host).run(/** @type {Uint8Array} */ (payload))
  process.send?.('done')
})
