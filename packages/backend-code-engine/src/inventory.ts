import { type DeployedImage, shortDigest } from '@lithops/container-runtime'
import {
  type CleanOptions,
  type DeleteOptions,
  forEachAtOnce,
  pause,
  type RuntimeListing,
  type RuntimeSpec,
  runStep,
} from '@lithops/core/driver'
import { accessSecretName, factsIn, isRunName, prefixOf, secretName } from './names.ts'
import type { ProjectApi } from './project.ts'
import { type Application, type Job, KIND_NAMES, type Kind } from './resources.ts'
import { platformError } from './vendor-errors.ts'

const REMOVALS_AT_ONCE = 8
const LOOK_AGAIN_MS = 300
/** Instances are given their grace to end calls that run; then they are gone. */
const GONE_MS = 60_000
/** In the order in which they are removed: what uses something goes before it. */
const KINDS: readonly Kind[] = ['job_runs', 'jobs', 'apps', 'config_maps', 'secrets']

interface DeployedRuntime extends RuntimeListing {
  readonly memoryMiB: number
  readonly kind: 'jobs' | 'apps'
  /** That it stands on; undefined where the platform does not say so. */
  readonly image: string | undefined
}

/** Names of what was removed, or would be, by kind, and the images that jobs and applications stood on. */
export interface Removed {
  readonly names: readonly { readonly kind: Kind; readonly name: string }[]
  readonly images: readonly DeployedImage[]
}

/** What this user has in the project, and how it is removed: nothing of other users, and nothing of other tools. */
export class Inventory {
  readonly #project: ProjectApi
  readonly #user: string

  constructor(project: ProjectApi, user: string) {
    this.#project = project
    this.#user = user
  }

  async runtimes(signal?: AbortSignal): Promise<DeployedRuntime[]> {
    return (await this.#all(signal)).filter(({ workerName }) => this.#isMine(workerName))
  }

  /** What jobs and applications of any user of Lithops stand on, but for these. */
  async imagesBeside(names: readonly string[], signal?: AbortSignal): Promise<readonly DeployedImage[]> {
    return imagesOf((await this.#all(signal)).filter(({ workerName }) => !names.includes(workerName)))
  }

  /** Of all users. */
  #all(signal: AbortSignal | undefined): Promise<DeployedRuntime[]> {
    return this.#step('listing runtimes', signal, async () => {
      const kinds = (await this.isThere(signal)) ? (['jobs', 'apps'] as const) : []
      const lists = kinds.map(async kind =>
        (await this.#project.list(kind, { signal })).flatMap((one: Job & Application) => {
          const { name: workerName, run_env_variables: variables, image_reference: image } = one
          const details = detailsOf(one, kind)
          const facts = factsIn(variables)
          if (facts === undefined) return []
          const { runtime: name, version, memoryMiB } = facts
          return [{ name, version, memoryMiB, workerName, kind, image, details }]
        }),
      )
      return (await Promise.all(lists)).flat()
    })
  }

  #isMine(name: string): boolean {
    return name.startsWith(prefixOf(this.#user))
  }

  /** Removes everything of one runtime and memory, or one of it. The names are those of its jobs and applications. */
  async removeRuntime(
    { name, memoryMiB }: RuntimeSpec,
    { workerName: only, signal }: Omit<DeleteOptions, 'isReplaced'> = {},
  ): Promise<Removed> {
    const mine = (await this.runtimes(signal)).filter(
      one =>
        one.name === name &&
        (memoryMiB === undefined || one.memoryMiB === memoryMiB) &&
        (only === undefined || one.workerName === only),
    )
    await forEachAtOnce(mine, REMOVALS_AT_ONCE, async ({ workerName, kind }) => {
      await this.#remove(kind, workerName, signal)
      await this.#remove('secrets', secretName(workerName), signal)
      if (kind === 'jobs') return
      await this.#remove('secrets', accessSecretName(workerName), signal)
      await this.#waitUntilGone(workerName, signal)
    })
    return { names: mine.map(({ kind, workerName }) => ({ kind, name: workerName })), images: imagesOf(mine) }
  }

  /** Removes all that has a name of ours. */
  async clean({ dryRun = false, signal }: CleanOptions): Promise<Removed> {
    const images = imagesOf(await this.runtimes(signal))
    const found = await this.#step('listing what is there', signal, async () =>
      (await this.isThere(signal))
        ? Promise.all(KINDS.map(async kind => [kind, await this.#mine(kind, signal)] as const))
        : [],
    )
    if (!dryRun)
      for (const [kind, names] of found) {
        await forEachAtOnce(names, REMOVALS_AT_ONCE, name => this.#remove(kind, name, signal))
        if (kind === 'apps')
          await forEachAtOnce(names, REMOVALS_AT_ONCE, name => this.#waitUntilGone(name, signal))
      }
    return { names: found.flatMap(([kind, names]) => names.map(name => ({ kind, name }))), images }
  }

  /** Whether there is a project of the config: otherwise nothing of this user is anywhere. */
  async isThere(signal: AbortSignal | undefined): Promise<boolean> {
    return (await this.#project.existingProjectId({ signal })) !== undefined
  }

  async #mine(kind: Kind, signal: AbortSignal | undefined): Promise<string[]> {
    const names = (await this.#project.list(kind, { signal })).map(({ name }) => name)
    const isMine = (name: string) =>
      kind === 'job_runs' || kind === 'config_maps' ? isRunName(this.#user, name) : this.#isMine(name)
    return names.filter(isMine)
  }

  #remove(kind: Kind, name: string, signal: AbortSignal | undefined): Promise<void> {
    return this.#step(`removing the ${KIND_NAMES[kind]} ${name}`, signal, () =>
      this.#project.remove(kind, name, { signal }),
    )
  }

  /** So that nothing is left when `clean` has ended. What takes longer than its grace is the platform's to end. */
  #waitUntilGone(name: string, signal: AbortSignal | undefined): Promise<void> {
    const endMs = performance.now() + GONE_MS
    return this.#step(`waiting for the end of the application ${name}`, signal, async () => {
      while ((await this.#project.find('apps', name, { signal })) !== undefined && performance.now() < endMs)
        await pause(LOOK_AGAIN_MS, signal)
    })
  }

  #step<T>(step: string, signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
    return runStep(act, { signal, explain: error => platformError(error, step) })
  }
}

function imagesOf(runtimes: readonly DeployedRuntime[]): readonly DeployedImage[] {
  return runtimes.flatMap(({ name: runtime, image }) => (image === undefined ? [] : [{ runtime, image }]))
}

/** What tells a job or an application from others of the same runtime and memory, for people. */
function detailsOf(one: Job & Application, kind: 'jobs' | 'apps'): Readonly<Record<string, string>> {
  const timeoutS = one.scale_max_execution_time ?? one.scale_request_timeout
  const image = shortDigest(one.image_reference ?? '')
  return {
    kind: KIND_NAMES[kind],
    ...(one.scale_cpu_limit === undefined ? {} : { cpu: one.scale_cpu_limit }),
    ...(timeoutS === undefined ? {} : { timeout: `${timeoutS} s` }),
    ...(one.scale_concurrency === undefined ? {} : { concurrency: String(one.scale_concurrency) }),
    ...(image === undefined ? {} : { image }),
    ...(one.created_at === undefined ? {} : { deployed: one.created_at }),
  }
}
