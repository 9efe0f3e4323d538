import type { PullLogin } from '../knative/containers/containers.ts'
import type { ResourceStore } from './resource-store.ts'

/** A variable, as jobs, job runs and applications have it. */
export interface Variable {
  readonly type?: string
  readonly name?: string
  readonly value?: string
  readonly reference?: string
  readonly key?: string
}

/** What an instance finds in its environment; later variables replace earlier ones of the same name. */
export function environmentOf(
  variables: readonly Variable[],
  { secrets, config_maps: maps }: { readonly secrets: ResourceStore; readonly config_maps: ResourceStore },
): Record<string, string> {
  return Object.fromEntries(
    variables.map(({ type = 'literal', name = '', value = '', reference = '', key = name }) => {
      const store =
        type === 'secret_key_reference' ? secrets : type === 'config_map_key_reference' ? maps : undefined
      return [name, store === undefined ? value : (dataOf(store, reference)[key] ?? '')]
    }),
  )
}

export function dataOf(store: ResourceStore, name: string): Readonly<Record<string, string>> {
  return (store.find(name)?.data ?? {}) as Readonly<Record<string, string>>
}

/** The login in a registry secret. */
export function loginOf(secrets: ResourceStore, name: unknown): PullLogin | undefined {
  const { username, password } = dataOf(secrets, String(name ?? ''))
  return username === undefined || password === undefined ? undefined : { user: username, password }
}

/** '0.25G' */
export function bytesOf(memory: unknown): number {
  return Number.parseFloat(String(memory ?? '4G')) * 1024 * 1024 * 1024
}
