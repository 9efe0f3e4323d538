import { randomUUID } from 'node:crypto'
import type { EnvironmentPool } from '../data-plane/environment-pool.ts'
import type { CodePackage } from './code-package.ts'
import type { FunctionSettings } from './function-settings.ts'
import type { LayerVersion } from './layers.ts'
import { LATEST } from './names.ts'

/** What a function is made of: a zip, or an image by its URI. */
export type FunctionCode =
  | { readonly kind: 'zip'; readonly code: CodePackage }
  | { readonly kind: 'image'; readonly uri: string; readonly digest: string }

/** One state of a function that environments can run: settings and code. */
export interface Revision {
  readonly settings: FunctionSettings
  readonly code: FunctionCode
  readonly layers: readonly LayerVersion[]
  readonly revisionId: string
  readonly modifiedAtMs: number
}

export interface Failure {
  readonly code: string
  readonly reason: string
}

/** A version that can be called: $LATEST or a published one. Its environments belong to its revision. */
export interface CallableVersion {
  readonly version: string
  readonly revision: Revision
  readonly pool: EnvironmentPool
}

export interface EventInvokeConfig {
  readonly MaximumRetryAttempts?: number
  readonly MaximumEventAgeInSeconds?: number
  readonly DestinationConfig?: object
  readonly modifiedAtMs: number
}

/** A function of Lambda: what was asked for last, and what runs meanwhile. */
export class LambdaFunction {
  readonly name: string
  readonly createdAtMs: number
  readonly published: CallableVersion[] = []
  readonly tags = new Map<string, string>()
  reservedConcurrency: number | undefined
  eventInvokeConfig: EventInvokeConfig | undefined
  recursiveLoop = 'Terminate'
  readonly #openPool: (revision: Revision, version: string) => EnvironmentPool
  readonly #replaced: CallableVersion[] = []
  readonly #creationFailure: Failure | undefined
  #latest: Revision
  #running: CallableVersion
  #readyAtMs: number
  #updateFailure: Failure | undefined
  #versionCount = 0

  constructor(options: {
    readonly name: string
    readonly revision: Revision
    readonly readyAtMs: number
    readonly failure?: Failure
    readonly openPool: (revision: Revision, version: string) => EnvironmentPool
  }) {
    this.name = options.name
    this.createdAtMs = Date.now()
    this.#openPool = options.openPool
    this.#creationFailure = options.failure
    this.#latest = options.revision
    this.#readyAtMs = options.readyAtMs
    this.#running = this.#open(options.revision, LATEST)
  }

  /** What the API shows: the last revision that was asked for, in place or not. */
  get latest(): Revision {
    return this.#latest
  }

  get state(): 'Pending' | 'Active' | 'Failed' {
    if (this.#isPending() && this.#latest === this.#running.revision) return 'Pending'
    return this.#creationFailure === undefined ? 'Active' : 'Failed'
  }

  get lastUpdateStatus(): 'InProgress' | 'Successful' | 'Failed' {
    if (this.#isPending()) return 'InProgress'
    return (this.#creationFailure ?? this.#updateFailure) === undefined ? 'Successful' : 'Failed'
  }

  get creationFailure(): Failure | undefined {
    return this.#creationFailure
  }

  get updateFailure(): Failure | undefined {
    return this.#creationFailure ?? this.#updateFailure
  }

  /** The last update is in place from then on; until then calls go to the revision before. */
  update(revision: Revision, readyAtMs: number, failure?: Failure): void {
    this.#settle()
    this.#latest = revision
    this.#readyAtMs = readyAtMs
    this.#updateFailure = failure
  }

  publish(): CallableVersion {
    this.#settle()
    const last = this.published.at(-1)
    // a version is made only of what has changed since the last one
    if (last?.revision === this.#latest) return last
    const version = this.#open(this.#latest, String(++this.#versionCount))
    this.published.push(version)
    return version
  }

  /** What a call with this qualifier runs; undefined when there is no such version. */
  find(qualifier: string | undefined): CallableVersion | undefined {
    this.#settle()
    if (qualifier === undefined || qualifier === LATEST) return this.#running
    return this.published.find(({ version }) => version === qualifier)
  }

  /** Ends all environments, busy ones after their calls. */
  retire(): void {
    for (const { pool } of [this.#running, ...this.published]) pool.retire()
  }

  get pools(): readonly EnvironmentPool[] {
    return [this.#running, ...this.published, ...this.#replaced].map(({ pool }) => pool)
  }

  #isPending(): boolean {
    return Date.now() < this.#readyAtMs
  }

  /** Puts an update that has become ready in place. */
  #settle(): void {
    if (this.#isPending() || this.#latest === this.#running.revision) return
    if (this.#updateFailure !== undefined) return
    this.#running.pool.retire()
    this.#replaced.push(this.#running)
    this.#running = this.#open(this.#latest, LATEST)
  }

  #open(revision: Revision, version: string): CallableVersion {
    return { version, revision, pool: this.#openPool(revision, version) }
  }
}

export function newRevision(parts: Omit<Revision, 'revisionId' | 'modifiedAtMs'>): Revision {
  return { ...parts, revisionId: randomUUID(), modifiedAtMs: Date.now() }
}
