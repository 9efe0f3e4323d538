import type { RuntimeFunction } from '@lithops/core/driver'
import { RuntimeDeployError } from '@lithops/core/driver'

/** A runtime of Lambda's own, whose code is a zip, by its name in configs. */
export interface ManagedRuntime {
  /** Without the functions: 'default', or one of Lambda such as 'nodejs22.x'. */
  readonly base: string
  /** Hashes of the functions that were put into it by `lithops runtime extend`, in order. */
  readonly hashes: readonly string[]
}

const MANAGED = /^(default|nodejs\d+\.x)(?::([0-9a-f]{32}(?:-[0-9a-f]{32})*))?$/

/** Reads such a name: `default`, `nodejs22.x`, or with functions `default:<hash>`. Undefined for that of a container image. */
export function managedRuntime(name: string): ManagedRuntime | undefined {
  const [, base, hashes] = MANAGED.exec(name) ?? []
  return base === undefined ? undefined : { base, hashes: hashes?.split('-') ?? [] }
}

/** Whether a runtime is one of Lambda's own, which needs no image. */
export function isManaged(name: string): boolean {
  return managedRuntime(name) !== undefined
}

/** The name of a runtime that has these functions as well. */
export function withFunctions(
  { base, hashes }: ManagedRuntime,
  functions: readonly RuntimeFunction[],
): string {
  return `${base}:${sorted([...hashes, ...functions.map(({ hash }) => hash)]).join('-')}`
}

/** The functions of a runtime: those that it is deployed with, and those that its name says it was made with. */
export function functionsOf(
  name: string,
  { hashes }: ManagedRuntime,
  given: readonly RuntimeFunction[],
): readonly RuntimeFunction[] {
  const promised = hashes.filter(hash => given.every(one => one.hash !== hash))
  return [...given, ...promised.map(hash => promisedFunction(name, hash))]
}

/** What `lithops runtime extend` has deployed is found by its name, and its code is not asked for. */
function promisedFunction(name: string, hash: string): RuntimeFunction {
  return {
    name: '',
    hash,
    read: async () => {
      throw new RuntimeDeployError(
        `The runtime '${name}' is not deployed with what this config asks of it: its memory, storage or monitor, for instance, may be others. ` +
          'Run `lithops runtime extend` with this config.',
        { details: { runtime: name } },
      )
    },
  }
}

function sorted(hashes: readonly string[]): string[] {
  return [...new Set(hashes)].sort()
}
