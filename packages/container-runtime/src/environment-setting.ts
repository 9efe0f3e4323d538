/** What the worker itself gives variables of these names. */
const WORKERS_OWN = /^(PORT|LITHOPS_(SECRETS|WORKER_PROCESSES|CONCURRENCY|GRACE_MS|BATCH|BATCH_\d+))$/

/**
 * Environment variables of workers as a config gives them: a mapping, or a list of {name, value} as Kubernetes has it.
 *
 * @param key for messages, such as 'knative.env_vars'
 * @param reserved names that the platform has taken, beside those of the worker
 * @param problems what is wrong is added to it
 */
export function environmentSetting(
  key: string,
  given: unknown,
  { reserved, problems }: { readonly reserved: RegExp; readonly problems: string[] },
): Record<string, string> {
  if (given === undefined) return {}
  const pairs: [unknown, unknown][] = Array.isArray(given)
    ? given.map(one => [(one as { name?: unknown } | null)?.name, (one as { value?: unknown } | null)?.value])
    : typeof given === 'object' && given !== null
      ? Object.entries(given)
      : [[undefined, undefined]]
  const texts: Record<string, string> = {}
  for (const [name, value] of pairs) {
    if (typeof name !== 'string' || !['string', 'number', 'boolean'].includes(typeof value)) {
      const place = typeof name === 'string' ? `.${name}` : ''
      problems.push(`${key}${place} must be a mapping of names to texts, or a list of {name, value}`)
    } else if (WORKERS_OWN.test(name) || reserved.test(name)) {
      problems.push(`${key}.${name}: this name is the platform's or the worker's own`)
    } else texts[name] = String(value)
  }
  return texts
}
