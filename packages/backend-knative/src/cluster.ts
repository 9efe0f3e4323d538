import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  V1Node,
  V1Pod,
  V1Secret,
  V1Service,
} from '@kubernetes/client-node'
import { ConfigError, pause } from '@lithops/core/driver'
import type { KnativeSettings } from './config.ts'
import type { KnativeService } from './objects.ts'
import { isUnauthorized, mayPass } from './vendor-errors.ts'

/** A request of the cluster's API that takes longer is not answered any more. */
const REQUEST_MS = 30_000
/**
 * The official client never asks again. Here it may be done: what was made or changed already is refused the second time
 * (409), and whoever asked looks again.
 */
const PASSING_TRIES = 5
const PASSING_PAUSE_MS = 100
const PLURAL = { group: 'serving.knative.dev', version: 'v1', plural: 'services' } as const
/** Where a pod finds who it is. From: "Accessing the Kubernetes API from a Pod". */
export const POD_IDENTITY = '/var/run/secrets/kubernetes.io/serviceaccount'

type ClusterSettings = Pick<KnativeSettings, 'namespace' | 'kubeconfigPath' | 'context'>

interface Opened {
  readonly config: KubeConfig
  readonly core: CoreV1Api
  readonly custom: CustomObjectsApi
  readonly namespace: string
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** Where kubeconfigs are looked for: the paths that count, and whether the program runs in a pod. */
export function kubeconfigPlaces({ kubeconfigPath }: ClusterSettings): {
  readonly files: readonly string[]
  readonly isInPod: boolean
} {
  const named = process.env.KUBECONFIG
  const files =
    kubeconfigPath !== undefined
      ? [kubeconfigPath.replace(/^~(?=\/)/, homedir())]
      : named !== undefined && named !== ''
        ? named.split(delimiter).filter(file => file !== '')
        : [join(homedir(), '.kube', 'config')].filter(file => existsSync(file))
  return { files, isInPod: files.length === 0 && existsSync(join(POD_IDENTITY, 'token')) }
}

/**
 * The few calls of the cluster's API that are needed, over the official client, which is loaded when the first of them is
 * made. Who is refused as unknown (401) has the kubeconfig read once more: another program may have renewed its token. What
 * may pass (429, 5xx, a broken connection) is asked again for some seconds.
 */
export class Cluster {
  readonly #settings: ClusterSettings
  #opening: Promise<Opened> | undefined

  constructor(settings: ClusterSettings) {
    this.#settings = settings
  }

  /** Throws ConfigError where there is no kubeconfig, or it has no such context. */
  async namespace(): Promise<string> {
    return (await this.#open()).namespace
  }

  /** What tells one cluster and namespace from others: its address, and the name. Throws as `namespace` does. */
  async place(): Promise<readonly string[]> {
    const { config, namespace } = await this.#open()
    return [config.getCurrentCluster()?.server ?? '', namespace]
  }

  /** Undefined when there is none of that name. */
  findService(name: string, options: CallOptions = {}): Promise<KnativeService | undefined> {
    return this.#orNothing(options, ({ custom, namespace }, call) =>
      custom.getNamespacedCustomObject({ ...PLURAL, namespace, name }, call),
    )
  }

  createService(body: KnativeService, options: CallOptions = {}): Promise<KnativeService> {
    return this.#call(options, ({ custom, namespace }, call) =>
      custom.createNamespacedCustomObject({ ...PLURAL, namespace, body }, call),
    )
  }

  /** With the `resourceVersion` that was read: refused (409) when somebody was faster. */
  replaceService(body: KnativeService, options: CallOptions = {}): Promise<KnativeService> {
    return this.#call(options, ({ custom, namespace }, call) =>
      custom.replaceNamespacedCustomObject({ ...PLURAL, namespace, name: body.metadata.name, body }, call),
    )
  }

  async listServices(labelSelector: string, options: CallOptions = {}): Promise<readonly KnativeService[]> {
    const { items } = await this.#call<{ readonly items: readonly KnativeService[] }>(
      options,
      ({ custom, namespace }, call) =>
        custom.listNamespacedCustomObject({ ...PLURAL, namespace, labelSelector }, call),
    )
    return items
  }

  /** One that is not there is no error. Its pods end after the answer. */
  async deleteService(name: string, options: CallOptions = {}): Promise<void> {
    await this.#orNothing(options, ({ custom, namespace }, call) =>
      custom.deleteNamespacedCustomObject({ ...PLURAL, namespace, name }, call),
    )
  }

  findSecret(name: string, options: CallOptions = {}): Promise<V1Secret | undefined> {
    return this.#orNothing(options, ({ core, namespace }, call) =>
      core.readNamespacedSecret({ namespace, name }, call),
    )
  }

  createSecret(body: V1Secret, options: CallOptions = {}): Promise<V1Secret> {
    return this.#call(options, ({ core, namespace }, call) =>
      core.createNamespacedSecret({ namespace, body }, call),
    )
  }

  replaceSecret(body: V1Secret, options: CallOptions = {}): Promise<V1Secret> {
    return this.#call(options, ({ core, namespace }, call) =>
      core.replaceNamespacedSecret({ namespace, name: body.metadata?.name ?? '', body }, call),
    )
  }

  async listSecrets(labelSelector: string, options: CallOptions = {}): Promise<readonly V1Secret[]> {
    const { items } = await this.#call(options, ({ core, namespace }, call) =>
      core.listNamespacedSecret({ namespace, labelSelector }, call),
    )
    return items
  }

  /** One that is not there is no error. */
  async deleteSecret(name: string, options: CallOptions = {}): Promise<void> {
    await this.#orNothing(options, ({ core, namespace }, call) =>
      core.deleteNamespacedSecret({ namespace, name }, call),
    )
  }

  async listPods(labelSelector: string, options: CallOptions = {}): Promise<readonly V1Pod[]> {
    const { items } = await this.#call(options, ({ core, namespace }, call) =>
      core.listNamespacedPod({ namespace, labelSelector }, call),
    )
    return items
  }

  /** What a container of a pod wrote; `previous`: the one before its last restart. Empty where there is nothing. */
  async podLog(
    name: string,
    query: {
      readonly container: string
      readonly previous?: boolean
      readonly sinceSeconds?: number
      readonly tailLines?: number
      readonly timestamps?: boolean
    },
    options: CallOptions = {},
  ): Promise<string> {
    const text = await this.#call<string | undefined>(options, ({ core, namespace }, call) =>
      core.readNamespacedPodLog({ namespace, name, ...query }, call),
    )
    return text ?? ''
  }

  /** A Service of Kubernetes itself, of any namespace. */
  findGateway(namespace: string, name: string, options: CallOptions = {}): Promise<V1Service | undefined> {
    return this.#orNothing(options, ({ core }, call) => core.readNamespacedService({ namespace, name }, call))
  }

  async listNodes(options: CallOptions = {}): Promise<readonly V1Node[]> {
    return (await this.#call(options, ({ core }, call) => core.listNode({}, call))).items
  }

  async #orNothing<T>(
    options: CallOptions,
    act: (opened: Opened, call: RequestOptions) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await this.#call(options, act)
    } catch (error) {
      if ((error as { readonly code?: unknown }).code === 404) return undefined
      throw error
    }
  }

  async #call<T>(
    { signal }: CallOptions,
    act: (opened: Opened, call: RequestOptions) => Promise<T>,
  ): Promise<T> {
    let isReopened = false
    for (let tries = 1; ; tries++) {
      const opening = this.#open()
      try {
        return await act(await opening, await requestOptions(signal))
      } catch (error) {
        signal?.throwIfAborted()
        if (isUnauthorized(error) && !isReopened) {
          isReopened = true
          // others may have noticed, and opened it anew
          if (this.#opening === opening) this.#opening = undefined
        } else if (mayPass(error) && tries < PASSING_TRIES) {
          await pause(PASSING_PAUSE_MS * 2 ** tries * (0.5 + Math.random()), signal)
        } else throw error
      }
    }
  }

  #open(): Promise<Opened> {
    if (this.#opening === undefined) {
      const opening = open(this.#settings)
      this.#opening = opening
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = undefined
      })
    }
    return this.#opening
  }
}

async function open(settings: ClusterSettings): Promise<Opened> {
  const { CoreV1Api, CustomObjectsApi, KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  const { files, isInPod } = kubeconfigPlaces(settings)
  const [first] = files
  if (first === undefined && !isInPod) {
    // the official client would take http://localhost:8080 for the cluster
    throw new ConfigError(
      'There is no kubeconfig: neither knative.kubecfg_path nor KUBECONFIG names one, and there is none at ~/.kube/config.',
    )
  }
  try {
    if (settings.kubeconfigPath !== undefined && first !== undefined) config.loadFromFile(first)
    else if (isInPod) config.loadFromCluster()
    else config.loadFromDefault()
  } catch (cause) {
    throw new ConfigError(`The kubeconfig ${files.join(', ')} cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  }
  const { context } = settings
  if (context !== undefined) {
    const names = config.getContexts().map(({ name }) => name)
    if (!names.includes(context))
      throw new ConfigError(
        `knative.kubecfg_context is '${context}', and the kubeconfig has: ${names.join(', ') || 'no context'}.`,
      )
    config.setCurrentContext(context)
  }
  if (config.getCurrentCluster() === null)
    throw new ConfigError(
      `The kubeconfig ${files.join(', ')} has no current context that names a cluster: set knative.kubecfg_context, or \`kubectl config use-context\`.`,
    )
  const current = config.getContextObject(config.getCurrentContext())
  return {
    config,
    core: config.makeApiClient(CoreV1Api),
    custom: config.makeApiClient(CustomObjectsApi),
    namespace: settings.namespace ?? current?.namespace ?? 'default',
  }
}

type RequestOptions = NonNullable<Parameters<CoreV1Api['listNode']>[1]>

/** The official client has no time limit of its own. */
async function requestOptions(signal: AbortSignal | undefined): Promise<RequestOptions> {
  const { Observable } = await import('@kubernetes/client-node')
  const limit = AbortSignal.timeout(REQUEST_MS)
  const either = signal === undefined ? limit : AbortSignal.any([signal, limit])
  const pass = <T>(value: T) => new Observable(Promise.resolve(value))
  return {
    middleware: [
      {
        pre(context) {
          context.setSignal(either)
          return pass(context)
        },
        post: pass,
      },
    ],
    middlewareMergeStrategy: 'append',
  }
}
