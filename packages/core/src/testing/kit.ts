import assert from 'node:assert/strict'

/** The `test` function of any runner: vitest, node:test, mocha's `it`. */
export type TestFunction = (name: string, run: () => Promise<void>) => unknown

/** A case of a kit. `skip` gives the reason why a backend cannot have it. */
export interface KitCase<Subject, Context> {
  readonly name: string
  readonly skip?: (subject: Subject) => string | undefined
  readonly run: (context: Context) => Promise<void>
}

/** Registers a kit's cases. Each gets a fresh subject, and the subject is closed after it. */
export function registerCases<Subject, Context extends AsyncDisposable>(options: {
  readonly test: TestFunction
  readonly kit: string
  readonly cases: readonly KitCase<Subject, Context>[]
  readonly open: () => Promise<{ readonly subject: Subject; readonly context: Context }>
}): void {
  for (const kitCase of options.cases) {
    const name = `${options.kit}: ${kitCase.name}`
    options.test(name, async () => {
      const { subject, context } = await options.open()
      await using _context = context
      const reason = kitCase.skip?.(subject)
      if (reason === undefined) await kitCase.run(context)
      else console.log(`skipped: ${name}: ${reason}`)
    })
  }
}

interface ErrorClass {
  readonly name: string
  isInstance(error: unknown): boolean
}

/**
 * Asserts that the promise rejects with an error of the class, recognised across copies of the package, and with the
 * code if one is given. Gives the error back.
 */
export async function rejectsWith(
  promise: Promise<unknown>,
  errorClass: ErrorClass,
  what: string,
  code?: string,
): Promise<Error & { readonly [field: string]: unknown }> {
  const error = await errorOf(promise, what)
  assert.ok(
    errorClass.isInstance(error),
    `${what}: expected an error of class ${errorClass.name}, not ${String(error)}`,
  )
  if (code !== undefined) assert.equal((error as { code?: unknown }).code, code, `${what}: code of the error`)
  return error as Error & { readonly [field: string]: unknown }
}

/** Asserts that the promise rejects as one does for an aborted signal: with the signal's reason or an AbortError. */
export async function rejectsAborted(
  promise: Promise<unknown>,
  reason: unknown,
  what: string,
): Promise<void> {
  const error = await errorOf(promise, what)
  const isAbort = error === reason || (error as { name?: unknown } | null)?.name === 'AbortError'
  assert.ok(isAbort, `${what}: expected the signal's reason or an AbortError, not ${String(error)}`)
}

async function errorOf(promise: Promise<unknown>, what: string): Promise<unknown> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return error
  }
  assert.fail(`${what}: expected an error, but it resolved with ${String(value)?.slice(0, 100)}`)
}

/** Fails when the promise takes longer. A kit never waits for ever. */
export async function within<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new assert.AssertionError({ message: `${what}: not done in ${limitMs} ms` })),
      limitMs,
    )
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Looks again until `look` gives something else than undefined. */
export async function eventually<T>(
  look: () => Promise<T | undefined>,
  limitMs: number,
  what: string,
): Promise<T> {
  const end = performance.now() + limitMs
  for (let pauseMs = 5; ; pauseMs = Math.min(pauseMs * 2, 500)) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() >= end) assert.fail(`${what}: not seen in ${limitMs} ms`)
    await new Promise(resolve => setTimeout(resolve, pauseMs))
  }
}

/** Runs the work for each item, at most `atOnce` together. */
export async function forEachAtOnce<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = items[Symbol.iterator]()
  const worker = async () => {
    for (let next = left.next(); !next.done; next = left.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** Bytes that differ from their neighbours, so that a shifted or cut piece is seen. */
export function patternBytes(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = (seed + 1) * 2654435761
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assert.ok(actual instanceof Uint8Array, `${what}: expected a Uint8Array`)
  assert.equal(actual.length, expected.length, `${what}: number of bytes`)
  const at = Buffer.compare(actual, expected) === 0 ? -1 : expected.findIndex((byte, i) => byte !== actual[i])
  assert.equal(at, -1, `${what}: first byte that differs`)
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
