import { type GlobalOptions, print, UsageError, withExecutor } from '../global-options.ts'

/** Of AWS a UUID; of others the place where it ran, with parts that are divided by '/', or the name of a worker. */
const REQUEST_ID =
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[\w.:-]+(\/[\w.:-]+)+$|^[\w.-]+-[0-9a-f]{6}$/i
const JOB_KEY = /^\S+-[AMR]\d+$/
const MS_PER_MINUTE = 60_000

/** `lithops logs ID [--since MINUTES]`: what workers wrote into the log of the platform, of one request or of a job. */
export function platformLogs(
  id: string,
  options: GlobalOptions & { readonly since?: number },
): Promise<boolean> {
  const isRequest = !JOB_KEY.test(id) && REQUEST_ID.test(id)
  if (!isRequest && !JOB_KEY.test(id)) {
    throw new UsageError(
      `'${id}' is neither the key of a job, such as a1b2c3-0-M000, nor the id of a request (future.stats.requestId).`,
    )
  }
  return withExecutor(options, async fexec => {
    const { since } = options
    const log = await fexec.platformLogs({
      ...(isRequest ? { requestId: id } : { jobKey: id }),
      ...(since === undefined ? {} : { sinceMs: Date.now() - since * MS_PER_MINUTE }),
    })
    const none = `There is no log of ${id}, or not yet: platforms take some seconds to show what was written.`
    print(options, { ok: log !== '', log }, log === '' ? none : log.trimEnd())
    return log !== ''
  })
}
