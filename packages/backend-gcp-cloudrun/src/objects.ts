import { SECRETS_ENVIRONMENT_NAME } from '@lithops/core/driver'
import type { CloudRunSettings } from './config.ts'
import { SECOND_GENERATION_MIB } from './limits.ts'
import { annotationsOf, labelsOf, type ServiceFacts, secretName } from './names.ts'
import type { RunService } from './run-api.ts'

/** All that a service is made of. */
export interface ServicePlan extends ServiceFacts {
  readonly name: string
  readonly user: string
  /** By digest. */
  readonly image: string
  readonly settings: CloudRunSettings
}

/** Where workers listen. From: docs/protocol.md, "Over HTTP". */
const PORT = 8080

/**
 * The service of a plan.
 *
 * @param secretVersion of the secret with the storages' keys; undefined where there is none
 */
export function serviceOf(plan: ServicePlan, secretVersion: string | undefined): RunService {
  const { image, settings, memoryMiB, user } = plan
  const { minWorkers, maxWorkers, workerProcesses, concurrency, cpu, serviceAccount, timeoutMs } = settings
  return {
    labels: { ...labelsOf(user) },
    annotations: annotationsOf(plan),
    ingress: 'INGRESS_TRAFFIC_ALL',
    template: {
      labels: { ...labelsOf(user) },
      scaling: { minInstanceCount: minWorkers, maxInstanceCount: maxWorkers },
      timeout: { seconds: timeoutMs / 1000 },
      ...(serviceAccount === undefined ? {} : { serviceAccount }),
      // absent it would be 80 from one processor on
      maxInstanceRequestConcurrency: workerProcesses * concurrency,
      ...generationOf(cpu, memoryMiB),
      containers: [
        {
          image,
          ports: [{ containerPort: PORT }],
          env: environmentOf(plan, secretVersion),
          resources: {
            limits: { cpu: cpuQuantity(cpu), memory: `${memoryMiB}Mi` },
            // processors are billed while requests run; absent beside limits, they would be billed all the time
            cpuIdle: true,
            startupCpuBoost: true,
          },
        },
      ],
    },
  }
}

/** Small workers have the first generation of execution environments alone; the platform chooses for others. */
function generationOf(
  cpu: number,
  memoryMiB: number,
): Pick<NonNullable<RunService['template']>, 'executionEnvironment'> {
  return cpu < 1 || memoryMiB < SECOND_GENERATION_MIB
    ? { executionEnvironment: 'EXECUTION_ENVIRONMENT_GEN1' }
    : {}
}

/** The version of the secret that a service's workers see; undefined where they have none. */
export function secretsSeenBy(service: RunService): string | undefined {
  const env = service.template?.containers?.[0]?.env ?? []
  return (
    env.find(({ name }) => name === SECRETS_ENVIRONMENT_NAME)?.valueSource?.secretKeyRef?.version ?? undefined
  )
}

function environmentOf({ name, settings }: ServicePlan, secretVersion: string | undefined) {
  const { environment, workerProcesses, concurrency } = settings
  return [
    ...Object.entries(environment).map(([key, value]) => ({ name: key, value })),
    ...(workerProcesses > 1 ? [{ name: 'LITHOPS_WORKER_PROCESSES', value: String(workerProcesses) }] : []),
    ...(concurrency > 1 ? [{ name: 'LITHOPS_CONCURRENCY', value: String(concurrency) }] : []),
    ...(secretVersion === undefined
      ? []
      : [
          {
            name: SECRETS_ENVIRONMENT_NAME,
            valueSource: { secretKeyRef: { secret: secretName(name), version: secretVersion } },
          },
        ]),
  ]
}

/** '250m', or '2' for whole processors. */
function cpuQuantity(cpu: number): string {
  return Number.isInteger(cpu) ? String(cpu) : `${Math.round(cpu * 1000)}m`
}
