import { refusals } from './api-error.ts'
import type { ResourceKind } from './resource-store.ts'

// What the API refuses of what is sent. From: https://cloud.ibm.com/apidocs/codeengine/v2, "Limits and quotas for Code Engine" and
// "Supported memory and CPU combinations".

const MOST_JOB_BYTES = 10 * 1024
const MOST_INDICES = 1_000
const LARGEST_INDEX = 9_999_999
const MOST_VALUE_CHARACTERS = 1_048_576
const DATA_KEY = /^[-._a-zA-Z0-9]{1,253}$/

/** 'cpu/memory in G' */
const SIZES = new Set(
  [
    '0.125/0.25 0.125/0.5 0.125/1',
    '0.25/0.5 0.25/1 0.25/2',
    '0.5/1 0.5/2 0.5/4',
    '1/2 1/4 1/8',
    '2/4 2/8 2/16',
    '4/8 4/16 4/32',
    '6/12 6/24 6/48',
    '8/16 8/32',
    '10/20 10/40',
    '12/24 12/48',
  ].flatMap(line => line.split(' ')),
)

type Body = Readonly<Record<string, unknown>>

export function checkBody(kind: ResourceKind, body: Body): void {
  switch (kind) {
    case 'jobs':
      return checkJob(body)
    case 'job_runs':
      return checkRun(body)
    case 'apps':
      return checkSize(body)
    default:
      return checkData(body)
  }
}

function checkJob(body: Body): void {
  if (Buffer.byteLength(JSON.stringify(body)) > MOST_JOB_BYTES) throw refusals.tooLarge(MOST_JOB_BYTES)
  if (typeof body.image_reference !== 'string') throw refusals.invalid('image_reference is missing.')
  checkSize(body)
  checkArray(body)
}

function checkRun(body: Body): void {
  if (Buffer.byteLength(JSON.stringify(body)) > MOST_JOB_BYTES) throw refusals.tooLarge(MOST_JOB_BYTES)
  for (const key of ['image_secret', 'run_service_account'])
    if (body.job_name !== undefined && body[key] !== undefined)
      throw refusals.invalid(`${key} must not be set on a job run that references a job.`)
  checkArray(body)
}

function checkSize({ scale_cpu_limit: cpu = '1', scale_memory_limit: memory = '4G' }: Body): void {
  const size = `${Number(cpu)}/${Number.parseFloat(String(memory))}`
  if (!/^[\d.]+G$/.test(String(memory)) || !SIZES.has(size))
    throw refusals.invalid(
      `The combination of scale_cpu_limit '${cpu}' and scale_memory_limit '${memory}' is not supported.`,
    )
}

function checkArray({
  scale_array_spec: spec,
  scale_retry_limit: retries = 0,
  scale_max_execution_time: time = 7_200,
}: Body): void {
  if (Number(retries) > 5) throw refusals.invalid('scale_retry_limit is above 5.')
  if (Number(time) > 86_400) throw refusals.invalid('scale_max_execution_time is above 86400.')
  const indices = indicesOf(spec)
  if (indices.length > MOST_INDICES)
    throw refusals.invalid(`scale_array_spec names more than ${MOST_INDICES} indices.`)
  if (indices.some(index => index > LARGEST_INDEX))
    throw refusals.invalid('scale_array_spec has an index that is too large.')
}

function checkData({ data = {} }: Body): void {
  for (const [key, value] of Object.entries(data as Record<string, unknown>)) {
    if (!DATA_KEY.test(key)) throw refusals.invalid(`The key '${key}' is not valid.`)
    if (typeof value !== 'string' || value.length > MOST_VALUE_CHARACTERS)
      throw refusals.invalid(
        `The value of '${key}' is no text of ${MOST_VALUE_CHARACTERS} characters at most.`,
      )
  }
}

/** Unique indices of `scale_array_spec`, in order. */
export function indicesOf(spec: unknown): number[] {
  const indices = new Set<number>()
  for (const part of String(spec ?? '0').split(',')) {
    const found = /^(\d+)(?:-(\d+))?$/.exec(part.trim())
    if (found === null) throw refusals.invalid(`scale_array_spec is not valid: '${part}'.`)
    const last = Number(found[2] ?? found[1])
    for (let index = Number(found[1]); index <= last && indices.size <= MOST_INDICES; index++)
      indices.add(index)
  }
  return [...indices].sort((a, b) => a - b)
}

/** As the status of a run names them: '0-3,7'. */
export function specOf(indices: readonly number[]): string {
  const sorted = [...indices].sort((a, b) => a - b)
  let text = ''
  for (let i = 0; i < sorted.length; i++) {
    const first = sorted[i]
    while (sorted[i + 1] === (sorted[i] as number) + 1) i++
    text += `${text === '' ? '' : ','}${first}${sorted[i] === first ? '' : `-${sorted[i]}`}`
  }
  return text
}
