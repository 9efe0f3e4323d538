import type { StorageBackend } from '@lithops/core/driver'
import type { Fault, FaultScope } from '../fault-proxy/index.ts'

/** How one service says what the suite needs to know of it. `K` are its keys: whatever opens it. */
export interface FaultDialect<K> {
  /** Errors in the service's own form. */
  readonly faults: {
    readonly slowDown: () => Fault
    readonly throttled: (retryAfterS: number) => Fault
    readonly internalError: () => Fault
    readonly accessDenied: () => Fault
    /** Undefined where tokens are not the service's business. */
    readonly expiredToken?: () => Fault
  }
  /** Requests that write a small object, read one, remove one, and write a part of a large one. */
  readonly writes: FaultScope
  readonly reads: FaultScope
  readonly removes: FaultScope
  readonly parts: FaultScope
  /** How many keys a page of a listing has. */
  readonly pageKeys: number
  /** Keys that the server does not know, where it looks at them. */
  readonly wrongKeys: (keys: K) => readonly K[]
  /** What no error may show. */
  readonly secrets: (keys: K) => readonly string[]
  /** Names of uploads that have begun and not ended, where the service tells. */
  readonly unfinished?: (storage: StorageBackend, bucket: string) => Promise<readonly string[]>
  /** Cases that are not for this service, by name, with the reason. */
  readonly skip?: Readonly<Record<string, string>>
}
