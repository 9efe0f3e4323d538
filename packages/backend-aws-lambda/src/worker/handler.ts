import { fileURLToPath } from 'node:url'
import { CloudWorker, type CloudWorkerOptions } from '@lithops/core/worker'

/** What of Lambda's context is used. */
export interface LambdaContext {
  readonly logStreamName?: string
  getRemainingTimeInMillis(): number
}

/**
 * A text is an activation message in base64 whose reply is awaited; a list of one text is one whose reply nobody reads; all
 * else asks what the runtime is.
 */
export type LambdaEvent = string | readonly [string] | { readonly lithops: 'metadata' }

/** Folders of packages: of a layer, and of the code itself. */
const PACKAGE_FOLDERS = [
  // of a container image: those that were laid beside the worker
  '/lithops/node_modules',
  '/opt/nodejs/node_modules',
  `${process.env.LAMBDA_TASK_ROOT ?? '/var/task'}/node_modules`,
  // of a container image that the user has built: of its working folder, or installed for all
  `${process.cwd()}/node_modules`,
  '/usr/local/lib/node_modules',
]
/** Of functions that the code brings: beside this module, which is the whole of it. */
const FUNCTION_FOLDER = fileURLToPath(new URL('functions', import.meta.url))
/** The time that Lambda gives is up a little earlier than it says, to answer in order. */
const MARGIN_MS = 500

/** Makes the handler of a runtime that brings these drivers. What it awaits is done while Lambda starts the environment. */
export async function makeHandler(drivers: Pick<CloudWorkerOptions, 'storages' | 'monitors'>) {
  const worker = new CloudWorker({
    ...drivers,
    workerId: process.env.AWS_LAMBDA_LOG_STREAM_NAME ?? `lambda-${process.pid}`,
    packageFolders: PACKAGE_FOLDERS,
    functionFolder: FUNCTION_FOLDER,
    hasOwnConsole: true,
    namesJobs: true,
  })
  await worker.preloadFunction()
  return async (event: LambdaEvent, context: LambdaContext) => {
    const isReplyAwaited = typeof event === 'string'
    const message = isReplyAwaited ? event : Array.isArray(event) ? (event[0] as string) : undefined
    if (message === undefined) return worker.metadata
    const timeLeftMs = context.getRemainingTimeInMillis() - MARGIN_MS
    const reply = await worker.run(Buffer.from(message, 'base64'), { timeLeftMs, isReplyAwaited })
    return Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength).toString('base64')
  }
}
