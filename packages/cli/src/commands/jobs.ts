import { inspect } from 'node:util'
import type { AttachedJob, CallHandle, FunctionExecutor } from '@lithops/core'
import { formatUsage } from '../format.ts'
import { type GlobalOptions, print, withExecutor } from '../global-options.ts'
import { table } from '../table.ts'

/** `lithops job list` */
export function listJobs(options: GlobalOptions): Promise<boolean> {
  return withExecutor(options, fexec => printJobs(fexec, options))
}

async function printJobs(fexec: FunctionExecutor, options: GlobalOptions): Promise<boolean> {
  const jobs = await fexec.listJobs()
  const rows = jobs.map(({ jobKey, functionName, createdAt, calls, ended, backends }) => [
    jobKey,
    functionName,
    createdAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    `${ended} of ${calls}`,
    backends.join(', '),
  ])
  const text =
    rows.length === 0
      ? 'There are no jobs in storage.'
      : await table(['Job', 'Function', 'Started', 'Calls ended', 'Backend'], rows)
  print(options, { ok: true, jobs }, text)
  return true
}

/** `lithops job attach KEY [--no-resume]`: waits for the end of the job; its results stay in storage. */
export function attachJob(jobKey: string, options: AttachCommandOptions): Promise<boolean> {
  return withExecutor(options, fexec => finishJob(fexec, jobKey, options))
}

type AttachCommandOptions = GlobalOptions & { readonly resume?: boolean }

async function finishJob(
  fexec: FunctionExecutor,
  jobKey: string,
  options: AttachCommandOptions,
): Promise<boolean> {
  const job = await fexec.attach(jobKey, { resume: options.resume ?? true, keep: true })
  await fexec.wait(job.futures, options.json ? { progress: false } : {})
  const failed = job.futures.filter(future => !future.isSuccess)
  const succeeded = job.futures.length - failed.length
  // of this program: what the lost one has used is not known here
  const usage = await fexec.usageOf(job.futures)
  const text = [
    `${succeeded} of ${job.futures.length} calls of '${job.info.functionName}' succeeded.`,
    ...failed.slice(0, SHOWN_ERRORS).map(future => `call ${future.callId}: ${messageOf(future.error)}`),
    failed.length > SHOWN_ERRORS ? `and ${failed.length - SHOWN_ERRORS} more` : '',
    `lithops job results ${jobKey} prints them.`,
    formatUsage(usage),
  ]
  print(options, { ok: failed.length === 0, jobKey, succeeded, failed: failed.length, usage }, lines(text))
  return failed.length === 0
}

const SHOWN_ERRORS = 5

/** `lithops job results KEY [--remove]`: what has ended, one line per call, without waiting for the rest. */
export function jobResults(jobKey: string, options: ResultsCommandOptions): Promise<boolean> {
  return withExecutor(options, fexec => printResults(fexec, jobKey, options))
}

type ResultsCommandOptions = GlobalOptions & { readonly remove?: boolean }

async function printResults(
  fexec: FunctionExecutor,
  jobKey: string,
  options: ResultsCommandOptions,
): Promise<boolean> {
  const job = await fexec.attach(jobKey, { resume: false, keep: true })
  const results = await readEnded(job)
  const isWhole = results.every(result => result.state === 'success')
  print(
    options,
    { ok: isWhole, jobKey, results: results.map(jsonOf) },
    lines(results.map(({ callId, state, shown }) => `${callId}\t${state}\t${shown}`)),
  )
  if (options.remove) await job.remove()
  return isWhole
}

interface Shown {
  readonly callId: number
  readonly state: 'success' | 'error' | 'open'
  readonly value?: unknown
  readonly shown: string
}

/** Values that are read at the same time. */
const READS_AT_ONCE = 32

async function readEnded(job: AttachedJob<unknown>): Promise<Shown[]> {
  // how the calls stand now: what is not there will not be run by this command
  const ended = job.futures.map(future => future.isDone)
  const shown: Shown[] = new Array(job.futures.length)
  const left = job.futures.keys()
  const readNext = async () => {
    for (const i of left) shown[i] = await show(job.futures[i] as CallHandle<unknown>, ended[i] === true)
  }
  await Promise.all(Array.from({ length: READS_AT_ONCE }, readNext))
  return shown
}

async function show(future: CallHandle<unknown>, isEnded: boolean): Promise<Shown> {
  const { callId } = future
  if (!isEnded) return { callId, state: 'open', shown: '' }
  try {
    const value = await future.result()
    return { callId, state: 'success', value, shown: inspect(value, { breakLength: Infinity, depth: 6 }) }
  } catch (error) {
    return { callId, state: 'error', shown: messageOf(error) }
  }
}

function jsonOf({ callId, state, value, shown }: Shown) {
  if (state !== 'success') return { callId, state, ...(state === 'error' ? { error: shown } : {}) }
  try {
    JSON.stringify(value)
    return { callId, state, value }
  } catch {
    return { callId, state, value: shown } // what JSON cannot have: a BigInt, a cycle
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

function lines(text: readonly string[]): string {
  return text.filter(line => line !== '').join('\n')
}
