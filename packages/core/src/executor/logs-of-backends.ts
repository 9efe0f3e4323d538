import type { ComputeBackend, LogQuery } from '../driver/compute-backend.ts'
import type { DriverLog } from '../driver/driver.ts'

/**
 * What workers wrote into the logs of several platforms, one platform after the other. Where some have nothing, or cannot be read, that is
 * told in one line for all of them, and the others are given. Empty where none has anything.
 *
 * @throws whatever the first backend threw, where no backend gave anything
 */
export async function logsOfBackends(
  backends: readonly Pick<ComputeBackend, 'name' | 'logs'>[],
  query: LogQuery,
  log: Pick<DriverLog, 'info' | 'warn'>,
): Promise<string> {
  const answers = await Promise.allSettled(backends.map(async backend => (await backend.logs?.(query)) ?? ''))
  query.signal?.throwIfAborted()
  const texts = answers.map(answer => (answer.status === 'fulfilled' ? answer.value : ''))
  const failed = answers.find(answer => answer.status === 'rejected')
  if (texts.every(text => text === '')) {
    if (failed !== undefined) throw failed.reason
    return ''
  }
  const without = backends.flatMap(({ name }, i) => {
    const answer = answers[i]
    if (answer?.status === 'rejected') return [`${name} (${messageOf(answer.reason)})`]
    return texts[i] === '' ? [name] : []
  })
  if (without.length > 0) {
    const line = `There is no log of ${query.requestId ?? query.jobKey} on ${without.join(', ')}.`
    if (failed === undefined) log.info(line)
    else log.warn(line)
  }
  return texts.join('')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
