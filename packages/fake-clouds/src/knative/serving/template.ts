import type { GivenObject, ObjectStore, StoredObject } from '../api/object-store.ts'
import { refusals } from '../api/status-error.ts'
import type { PullLogin } from '../containers/containers.ts'

// What a Service of Knative asks for, read as its controllers read it.

interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } }
}

interface ServiceSpec {
  readonly template?: {
    readonly metadata?: {
      readonly annotations?: Record<string, string>
      readonly labels?: Record<string, string>
    }
    readonly spec?: {
      readonly containerConcurrency?: number
      readonly timeoutSeconds?: number
      readonly serviceAccountName?: string
      readonly imagePullSecrets?: readonly { readonly name: string }[]
      readonly containers?: readonly GivenContainer[]
    }
  }
}

interface GivenContainer {
  readonly image?: string
  readonly env?: readonly EnvVar[]
  readonly ports?: readonly unknown[]
  readonly resources?: { readonly limits?: { readonly memory?: string; readonly cpu?: string } }
  readonly securityContext?: unknown
}

/** A revision, as it is to run. */
export interface RevisionTemplate {
  readonly image: string
  readonly labels: Readonly<Record<string, string>>
  /** 0: as many requests at once as come. */
  readonly concurrency: number
  readonly timeoutMs: number
  readonly minScale: number
  /** Infinity where there is no limit. */
  readonly maxScale: number
  readonly memoryMiB: number
  readonly cpuMillis: number
  readonly env: readonly EnvVar[]
  readonly pullSecrets: readonly string[]
  /** The rest of what its pods have: they take it as it is. */
  readonly podSpec: Readonly<Record<string, unknown>>
}

const MOST_TIMEOUT_S = 600
const DEFAULT_TIMEOUT_S = 300
const RESERVED_ENV = /^(PORT|K_SERVICE|K_REVISION|K_CONFIGURATION)$/
const TEMPLATE_FIELDS = new Set([
  'containerConcurrency',
  'timeoutSeconds',
  'serviceAccountName',
  'imagePullSecrets',
  'containers',
  'enableServiceLinks',
])
/** What is Knative's own in the spec of a template, and not of a pod. */
const KNATIVE_FIELDS = new Set(['containerConcurrency', 'timeoutSeconds'])
/** How Knative names the container with the worker. */
export const WORKER_CONTAINER = 'user-container'
const MIB: Readonly<Record<string, number>> = { Mi: 1, Gi: 1024, Ki: 1 / 1024 }

/** What Knative's webhook refuses. */
export function checkService(given: GivenObject): void {
  const name = given.metadata?.name ?? ''
  if (!/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name))
    throw refusals.denied(`not a DNS 1035 label: ${JSON.stringify(name)}: metadata.name`)
  const { spec = {}, metadata: { annotations = {} } = {} } = (given.spec as ServiceSpec).template ?? {}
  const unknown = Object.keys(spec).filter(key => !TEMPLATE_FIELDS.has(key))
  if (unknown.length > 0)
    throw refusals.denied(
      `must not set the field(s): ${unknown.map(key => `spec.template.spec.${key}`).join(', ')}`,
    )
  const { timeoutSeconds = DEFAULT_TIMEOUT_S, containerConcurrency = 0, containers = [] } = spec
  if (timeoutSeconds < 0 || timeoutSeconds > MOST_TIMEOUT_S)
    throw refusals.denied(
      `expected 0 <= ${timeoutSeconds} <= ${MOST_TIMEOUT_S}: spec.template.spec.timeoutSeconds`,
    )
  if (containerConcurrency < 0 || containerConcurrency > 1000)
    throw refusals.denied(
      `expected 0 <= ${containerConcurrency} <= 1000: spec.template.spec.containerConcurrency`,
    )
  const [container] = containers
  if (container?.image === undefined)
    throw refusals.denied('missing field(s): spec.template.spec.containers[0].image')
  for (const { name: key } of container.env ?? [])
    if (RESERVED_ENV.test(key))
      throw refusals.denied(
        `"${key}" is a reserved environment variable: spec.template.spec.containers[0].env`,
      )
  const min = Number(annotations['autoscaling.knative.dev/min-scale'] ?? 0)
  const max = Number(annotations['autoscaling.knative.dev/max-scale'] ?? 0)
  if (max !== 0 && min > max) throw refusals.denied(`max-scale=${max} is less than min-scale=${min}`)
}

export function templateOf(service: StoredObject): RevisionTemplate {
  const { metadata, spec = {} } = (service.spec as ServiceSpec).template ?? {}
  const { annotations = {}, labels = {} } = metadata ?? {}
  const [container] = spec.containers ?? []
  const { memory = '0Mi', cpu = '1' } = container?.resources?.limits ?? {}
  return {
    image: container?.image ?? '',
    labels,
    concurrency: spec.containerConcurrency ?? 0,
    timeoutMs: (spec.timeoutSeconds ?? DEFAULT_TIMEOUT_S) * 1000,
    minScale: Number(annotations['autoscaling.knative.dev/min-scale'] ?? 0),
    maxScale: Number(annotations['autoscaling.knative.dev/max-scale'] ?? 0) || Number.POSITIVE_INFINITY,
    memoryMiB: Number.parseFloat(memory) * (MIB[memory.slice(-2)] ?? 1),
    cpuMillis: cpu.endsWith('m') ? Number.parseInt(cpu, 10) : Number(cpu) * 1000,
    env: container?.env ?? [],
    pullSecrets: (spec.imagePullSecrets ?? []).map(({ name }) => name),
    podSpec: {
      ...Object.fromEntries(Object.entries(spec).filter(([key]) => !KNATIVE_FIELDS.has(key))),
      containers: [podContainerOf(container)],
    },
  }
}

/** Knative leaves probing to the queue before the worker. */
function podContainerOf(container: GivenContainer | undefined): Record<string, unknown> {
  const kept = Object.entries(container ?? {}).filter(([key]) => key !== 'readinessProbe')
  return { ...Object.fromEntries(kept), name: WORKER_CONTAINER }
}

/** The environment of a container that is started now: Secrets are read at that time. */
export function environmentOf(
  { env }: RevisionTemplate,
  secrets: ObjectStore,
  namespace: string,
): Record<string, string> {
  return Object.fromEntries(
    env.map(({ name, value, valueFrom }) => {
      const { name: secret = '', key = '' } = valueFrom?.secretKeyRef ?? {}
      const placed = secrets.find(namespace, secret)?.data?.[key]
      return [name, value ?? Buffer.from(placed ?? '', 'base64').toString('utf8')]
    }),
  )
}

/** The login of an image's registry in the pull secrets. */
export function pullLoginOf(
  { image, pullSecrets }: RevisionTemplate,
  secrets: ObjectStore,
  namespace: string,
): PullLogin | undefined {
  const server = image.split('/', 1)[0] as string
  for (const name of pullSecrets) {
    const text = secrets.find(namespace, name)?.data?.['.dockerconfigjson']
    if (text === undefined) continue
    const { auths = {} } = JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as {
      readonly auths?: Readonly<Record<string, { readonly auth?: string }>>
    }
    const [user, ...password] = Buffer.from(auths[server]?.auth ?? '', 'base64')
      .toString('utf8')
      .split(':')
    if (user !== undefined && user !== '') return { user, password: password.join(':') }
  }
  return undefined
}
