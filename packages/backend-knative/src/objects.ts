import { shortDigest } from '@lithops/container-runtime'
import { SECRETS_ENVIRONMENT_NAME } from '@lithops/core/driver'
import type { KnativeSettings } from './config.ts'
import { annotationsOf, labelsOf, type ServiceFacts, secretName } from './names.ts'

// Shapes of the API, as far as they are read here: answers may have more, and lack what is optional.

export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly resourceVersion?: string
  readonly generation?: number
  readonly deletionTimestamp?: string
  readonly uid?: string
  readonly creationTimestamp?: string
}

export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason?: string
  readonly message?: string
}

/** A Service of `serving.knative.dev/v1`. */
export interface KnativeService {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly spec: { readonly template: RevisionTemplate }
  readonly status?: {
    readonly observedGeneration?: number
    readonly conditions?: readonly Condition[]
    readonly url?: string
    readonly address?: { readonly url?: string }
    readonly latestCreatedRevisionName?: string
    readonly latestReadyRevisionName?: string
  }
}

export interface RevisionTemplate {
  readonly metadata?: {
    readonly annotations?: Readonly<Record<string, string>>
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly spec: Readonly<Record<string, unknown>>
}

/** All that a service is made of. */
export interface ServicePlan extends ServiceFacts {
  readonly name: string
  readonly user: string
  /** By digest. */
  readonly image: string
  readonly pullSecret: string | undefined
  readonly settings: KnativeSettings
}

/** Template annotation that changes with the Secret, so that Knative makes a revision whose workers see it. */
const SECRETS_SEEN = 'lithops-ts/secrets'
const AUTOSCALING = 'autoscaling.knative.dev'
/** Where workers listen. From: docs/protocol.md, "Over HTTP". */
const PORT = 8080

/**
 * The Service of a plan.
 *
 * @param secretsSeen version of the Secret with the storages' keys; undefined where there is none
 */
export function serviceOf(plan: ServicePlan, secretsSeen: string | undefined): KnativeService {
  const { name, user, image, pullSecret, settings } = plan
  const labels = labelsOf(user)
  const { minWorkers, maxWorkers, scaleDownDelayS, workerProcesses, concurrency } = settings
  const resources = { cpu: cpuQuantity(settings.cpuMillis), memory: `${plan.memoryMiB}Mi` }
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name, labels, annotations: annotationsOf(plan) },
    spec: {
      template: {
        metadata: {
          annotations: {
            [`${AUTOSCALING}/min-scale`]: String(minWorkers),
            [`${AUTOSCALING}/max-scale`]: String(maxWorkers),
            ...(scaleDownDelayS > 0 ? { [`${AUTOSCALING}/scale-down-delay`]: `${scaleDownDelayS}s` } : {}),
            ...(secretsSeen === undefined ? {} : { [SECRETS_SEEN]: secretsSeen }),
          },
          labels,
        },
        spec: {
          containerConcurrency: workerProcesses * concurrency,
          timeoutSeconds: settings.timeoutMs / 1000,
          ...(settings.serviceAccount === undefined ? {} : { serviceAccountName: settings.serviceAccount }),
          ...(pullSecret === undefined ? {} : { imagePullSecrets: [{ name: pullSecret }] }),
          containers: [
            {
              image,
              ports: [{ containerPort: PORT }],
              env: environmentOf(plan, secretsSeen !== undefined),
              resources: { requests: resources, limits: resources },
              // what namespaces with the Pod Security Standard 'restricted' ask for
              securityContext: {
                runAsNonRoot: true,
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
                seccompProfile: { type: 'RuntimeDefault' },
              },
            },
          ],
        },
      },
    },
  }
}

/** The version of the Secret that a service's workers see; undefined where they have none. */
export function secretsSeenBy(service: KnativeService): string | undefined {
  return service.spec.template.metadata?.annotations?.[SECRETS_SEEN]
}

/** The image of a service's workers. */
export function imageOf({ spec }: KnativeService): string | undefined {
  const containers = spec.template.spec.containers as readonly { readonly image?: string }[] | undefined
  return containers?.[0]?.image
}

/** What tells a service from others of the same runtime and memory, for people. */
export function detailsOf(service: KnativeService): Readonly<Record<string, string>> {
  const { metadata, spec } = service
  const { containerConcurrency, timeoutSeconds, containers } = spec.template.spec as {
    readonly containerConcurrency?: number
    readonly timeoutSeconds?: number
    readonly containers?: readonly {
      readonly resources?: { readonly limits?: { readonly cpu?: string } }
    }[]
  }
  const cpu = containers?.[0]?.resources?.limits?.cpu
  const image = shortDigest(imageOf(service) ?? '')
  return {
    ...(cpu === undefined ? {} : { cpu }),
    ...(timeoutSeconds === undefined ? {} : { timeout: `${timeoutSeconds} s` }),
    ...(containerConcurrency === undefined ? {} : { concurrency: String(containerConcurrency) }),
    ...(image === undefined ? {} : { image }),
    ...(metadata.creationTimestamp === undefined ? {} : { deployed: metadata.creationTimestamp }),
  }
}

function environmentOf({ name, settings }: ServicePlan, hasSecrets: boolean): readonly unknown[] {
  const { environment, workerProcesses, concurrency } = settings
  return [
    ...Object.entries(environment).map(([key, value]) => ({ name: key, value })),
    ...(workerProcesses > 1 ? [{ name: 'LITHOPS_WORKER_PROCESSES', value: String(workerProcesses) }] : []),
    ...(concurrency > 1 ? [{ name: 'LITHOPS_CONCURRENCY', value: String(concurrency) }] : []),
    ...(hasSecrets
      ? [
          {
            name: SECRETS_ENVIRONMENT_NAME,
            valueFrom: { secretKeyRef: { name: secretName(name), key: SECRETS_ENVIRONMENT_NAME } },
          },
        ]
      : []),
  ]
}

/** '500m', or '2' for whole processors: what Kubernetes itself makes of it. */
function cpuQuantity(millis: number): string {
  return millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`
}

/** The condition that says of a service whether all is well; undefined when it is not known for what was asked last. */
export function readyOf({ metadata, status }: KnativeService): Condition | undefined {
  if (status?.observedGeneration !== metadata.generation) return undefined
  return status?.conditions?.find(({ type }) => type === 'Ready')
}
