import type { protos } from '@google-cloud/run'
import { BATCH_ARGUMENT, WORKER_PATH } from '@lithops/container-runtime'
import { SECRETS_ENVIRONMENT_NAME } from '@lithops/core/driver'
import type { CloudRunSettings } from './config.ts'
import { JOB_TIMEOUT_GA_S, SECOND_GENERATION_MIB } from './limits.ts'
import { annotationsOf, labelsOf, type RuntimeFacts, secretName } from './names.ts'
import type { RunJob, RunService } from './resource-api.ts'

/** All that a service, or a job, is made of. */
export interface RuntimePlan extends RuntimeFacts {
  readonly name: string
  readonly user: string
  /** By digest. */
  readonly image: string
  /** Hashes of the functions that were put beside the worker. */
  readonly functionHashes: readonly string[]
  readonly settings: CloudRunSettings
}

/** Where workers listen. From: docs/protocol.md, "Over HTTP". */
const PORT = 8080

/**
 * The service of a plan.
 *
 * @param secretVersion of the secret with the storages' keys; undefined where there is none
 */
export function serviceOf(plan: RuntimePlan, secretVersion: string | undefined): RunService {
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

/**
 * The job of a plan. Its executions are told what they run in their environment.
 *
 * @param secretVersion as of `serviceOf`
 */
export function jobOf(plan: RuntimePlan, secretVersion: string | undefined): RunJob {
  const { image, settings, memoryMiB, user } = plan
  const { cpu, serviceAccount, timeoutMs } = settings
  return {
    labels: { ...labelsOf(user) },
    annotations: annotationsOf(plan),
    ...(timeoutMs > JOB_TIMEOUT_GA_S * 1000 ? { launchStage: 'BETA' as const } : {}),
    template: {
      labels: { ...labelsOf(user) },
      taskCount: 1,
      template: {
        timeout: { seconds: timeoutMs / 1000 },
        // whether a call may run again is core's to say
        maxRetries: 0,
        ...(serviceAccount === undefined ? {} : { serviceAccount }),
        containers: [
          {
            image,
            command: ['node'],
            args: [WORKER_PATH, BATCH_ARGUMENT],
            env: environmentOf(plan, secretVersion),
            resources: { limits: { cpu: cpuQuantity(cpu), memory: `${memoryMiB}Mi` } },
          },
        ],
      },
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
export function secretsSeenByService({ template }: RunService): string | undefined {
  return secretsIn(template?.containers?.[0]?.env ?? [])
}

/** The same of a job's. */
export function secretsSeenByJob({ template }: RunJob): string | undefined {
  return secretsIn(template?.template?.containers?.[0]?.env ?? [])
}

/** The version of the secret that is named among variables. */
export function secretsIn(env: readonly protos.google.cloud.run.v2.IEnvVar[]): string | undefined {
  return (
    env.find(({ name }) => name === SECRETS_ENVIRONMENT_NAME)?.valueSource?.secretKeyRef?.version ?? undefined
  )
}

function environmentOf({ name, settings }: RuntimePlan, secretVersion: string | undefined) {
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
