import { createInterface } from 'node:readline/promises'
import { ObjectNotFoundError } from '@lithops/core'
import { countOf, formatKey } from '../../format.ts'
import { type GlobalOptions, openStorage, print, UsageError } from '../../global-options.ts'
import { InterruptedError, interruptible } from '../../interruptible.ts'

export interface RemoveOptions extends GlobalOptions {
  readonly dryRun?: boolean
  readonly force?: boolean
}

/** Removes all objects below a prefix, after a person has agreed; returns false when they have not. */
export async function removeAll(bucket: string, prefix: string, options: RemoveOptions): Promise<boolean> {
  const { dryRun = false, force = false, json = false } = options
  const isAsking = !dryRun && !force
  if (isAsking && (json || !process.stdin.isTTY)) {
    throw new UsageError(
      `${describe(bucket, prefix)} will be gone: say --force to remove it without a question, or --dry-run to see it.`,
    )
  }
  await using storage = openStorage(options, bucket)
  return await interruptible(async signal => {
    if (!(await storage.bucketExists(bucket, { signal }))) {
      throw new ObjectNotFoundError(`There is no bucket '${bucket}' in storage '${storage.name}'.`)
    }
    if (isAsking) {
      const count = await storage.deletePrefix(prefix, { signal, dryRun: true })
      if (
        count > 0 &&
        !(await agrees(`Remove ${countOf(count, 'object')}: ${describe(bucket, prefix)}?`, signal))
      ) {
        process.stderr.write('Nothing was removed.\n')
        return false
      }
    }
    const removed: string[] = []
    const onBatch = (keys: readonly string[]) => {
      if (json) removed.push(...keys)
      else if (dryRun) process.stdout.write(keys.map(key => `${formatKey(key)}\n`).join(''))
    }
    const count = await storage.deletePrefix(prefix, { signal, dryRun, onBatch })
    const text = `${countOf(count, 'object')} ${dryRun ? 'would be removed' : 'removed'}.`
    print(options, { ok: true, dryRun, bucket, prefix, count, removed }, text)
    return true
  })
}

function describe(bucket: string, prefix: string): string {
  return prefix === ''
    ? `all of bucket '${bucket}'`
    : `all below '${formatKey(prefix)}' in bucket '${bucket}'`
}

async function agrees(question: string, signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    // readline takes Ctrl+C for itself
    const interrupted = new Promise<never>((_, reject) =>
      lines.once('SIGINT', () => reject(new InterruptedError('SIGINT'))),
    )
    const answer = await Promise.race([lines.question(`${question} [y/N] `, { signal }), interrupted])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}
