import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { open, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { hostname, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_AGAIN_MS = 100
const RENEW_MS = 5_000
/** A holder renews its lock far more often: after that it is gone, or stands still. */
const STALE_AFTER_MS = 60_000
const HASH_CHARACTERS = 32

/**
 * Runs something while no other program of this user on this machine runs the same, so that clients that begin at once build an
 * image once. Others wait for their turn, and should look then whether anything is left to do. The lock of a program that was
 * killed is taken over. Where no file can be written there is no lock, and all run at once.
 *
 * @param what tells apart what is done; any text
 */
export async function oncePerMachine<T>(
  what: string,
  run: () => Promise<T>,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const hash = createHash('sha256').update(what).digest('hex').slice(0, HASH_CHARACTERS)
  const folder = process.env.LITHOPS_CACHE_DIR ?? join(tmpdir(), `lithops-facts-${userInfo().uid}`)
  const file = join(folder, `building-${hash}.lock`)
  const isHeld = await take(folder, file, signal)
  if (!isHeld) return run()
  const renewing = setInterval(() => {
    const now = new Date()
    utimes(file, now, now).catch(() => {}) // somebody has taken it for stale
  }, RENEW_MS)
  renewing.unref()
  try {
    return await run()
  } finally {
    clearInterval(renewing)
    if ((await holderOf(file)) === SELF) await rm(file, { force: true })
  }
}

const SELF = JSON.stringify([hostname(), process.pid])

/** Returns false where no file can be made. */
async function take(folder: string, file: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch {
    return false
  }
  for (;;) {
    signal?.throwIfAborted()
    try {
      const handle = await open(file, 'wx', 0o600)
      await handle.writeFile(SELF)
      await handle.close()
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false
    }
    if (await isStale(file)) await removeStale(file)
    else await sleep(LOOK_AGAIN_MS, undefined, signal === undefined ? {} : { signal })
  }
}

async function holderOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined)
}

async function isStale(file: string): Promise<boolean> {
  const facts = await stat(file).catch(() => undefined)
  if (facts === undefined) return false
  if (Date.now() - facts.mtimeMs > STALE_AFTER_MS) return true
  const holder = await holderOf(file)
  const known = holder === undefined ? undefined : parsed(holder)
  if (known === undefined) return false // being written, or gone
  const [host, pid] = known
  return host === hostname() && !isAlive(pid)
}

/** Undefined for what is no holder: half of one, on a disk that is full. Its lock is stale in its time. */
function parsed(holder: string): readonly [host: string, pid: number] | undefined {
  try {
    return JSON.parse(holder) as [string, number]
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Of several who find it stale, one moves it away; whoever has taken it meanwhile keeps it. */
async function removeStale(file: string): Promise<void> {
  const away = `${file}.${process.pid}`
  try {
    await rename(file, away)
  } catch {
    return
  }
  await rm(away, { force: true })
}
