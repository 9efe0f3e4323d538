import { userInfo } from 'node:os'
import { formatUsage } from '../format.ts'
import { type GlobalOptions, print, withExecutor } from '../global-options.ts'

/** `lithops hello [--map N]` */
export function hello(options: GlobalOptions & { readonly map?: number }): Promise<boolean> {
  return withExecutor(options, async fexec => {
    const name = userName()
    const began = performance.now()
    const futures = fexec.map(
      (i: number) => `Hello ${name}! (call ${i})`,
      Array.from({ length: options.map ?? 1 }, (_, i) => i),
    )
    const greetings = await fexec.getResult(futures, options.json ? { progress: false } : {})
    const seconds = (performance.now() - began) / 1000
    const workers = new Set(futures.map(future => future.stats.workerId)).size
    const usage = await fexec.usageOf(futures)
    const text =
      options.map === undefined
        ? `Hello ${name}! Lithops for TypeScript is working as expected :)`
        : `${greetings.join('\n')}\n${greetings.length} calls on ${workers} workers in ${seconds.toFixed(2)} s.`
    const billed = formatUsage(usage)
    print(
      options,
      { ok: true, greetings, workers, seconds, usage },
      billed === '' ? text : `${text}\n${billed}`,
    )
    return true
  })
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return 'World'
  }
}
