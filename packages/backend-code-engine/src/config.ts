import { environmentSetting, parseImageReference } from '@lithops/container-runtime'
import { ConfigError, defineConfigSection, field } from '@lithops/core/driver'
import {
  APPLICATION_TIMEOUT_S,
  JOB_TIMEOUT_S,
  MOST_CONCURRENCY,
  MOST_PROCESSES,
  REGIONS,
  RUN_INDICES,
  SCALE_DOWN_DELAY_S,
} from './limits.ts'
import { type InstanceSize, sizeOf } from './sizes.ts'

/** The section `code_engine`. From: lithops/serverless/backends/code_engine/config.py. */
export const codeEngineSection = defineConfigSection({
  name: 'code_engine',
  inherits: ['ibm'],
  renamed: { cpu: 'runtime_cpu', memory: 'runtime_memory' },
  fields: {
    iam_api_key: field.string({
      secret: true,
      doc: 'API key of IBM Cloud, as the section ibm has it. Needed.',
    }),
    region: field.choice(REGIONS, { doc: 'Region of the project, as the section ibm may have it. Needed.' }),
    resource_group_id: field.string({
      doc: 'Resource group of a project that is made, as the section ibm has it. Default: that of the account.',
    }),
    project_name: field.string({
      doc: 'Project of everything that is made. It is made at its first use. Default: lithops-<region>-<user>.',
    }),
    project_id: field.string({ doc: 'Id of a project that is there, in place of its name.' }),
    user: field.string({
      doc: 'Part of all names, so that people who share a project stay apart. Default: the name of the user at this machine.',
    }),
    workload: field.choice(['jobs', 'applications'], {
      default: 'jobs',
      doc: "What workers are: 'jobs', batches of instances that end, whose calls are told by the monitor; or 'applications', which answer HTTP, and whose instances stay for further calls.",
    }),
    docker_server: field.string({
      default: 'docker.io',
      doc: 'Registry of images. icr.io and its regions take the API key for a password.',
    }),
    docker_user: field.string({
      doc: 'User of the registry. Images on docker.io lie below it. Default there: who has logged in with docker or podman.',
    }),
    docker_password: field.string({
      secret: true,
      doc: 'Password or token of the registry. It is used to push, and placed in the project as a registry secret. Without it, the logins of docker or podman are used to push, and the project must be able to pull by itself.',
    }),
    docker_namespace: field.string({ doc: 'Namespace in the registry, where it has such: icr.io needs it.' }),
    private_registry: field.boolean({
      default: false,
      doc: 'Says that nobody else may pull what is pushed there, so that no warning is needed where the code of functions goes into images on docker.io, quay.io and other registries that are public by default.',
    }),
    runtime: field.string({
      default: 'default',
      doc: "'default', or an image of `lithops runtime build`: my-runtime:1 in the registry of this section, or with its registry, icr.io/team/my-runtime:1.",
    }),
    runtime_include_function: field.boolean({
      default: false,
      doc: 'Makes an image for each function, with its code in it, so that activations carry none. `serverless: {customized_runtime: true}` says the same.',
    }),
    base_image: field.string({
      doc: 'Image that the runtime default stands on; it must have node. Default: docker.io/library/node:24-bookworm-slim.',
    }),
    container_tool: field.string({
      doc: 'What builds images: docker, podman or buildah, or the path of one. Default: the first that works here.',
    }),
    runtime_memory: field.integer({
      default: 256,
      doc: 'Memory of an instance in MB, of the sizes that there are; 1024 is 1 G of the platform.',
    }),
    runtime_cpu: field.number({
      doc: 'Processors of an instance. Default: the fewest that the platform gives with its memory, 0.125 with 256 MB.',
    }),
    runtime_timeout: field.integer({
      min: JOB_TIMEOUT_S.least,
      max: JOB_TIMEOUT_S.most,
      default: 600,
      doc: `Time limit of one activation in seconds, by the platform itself; of applications ${APPLICATION_TIMEOUT_S} at most.`,
    }),
    max_workers: field.integer({
      min: 1,
      default: RUN_INDICES,
      doc: 'Most instances of a program at once. A project runs 250, and lets the others wait, unless its quota was raised.',
    }),
    min_workers: field.integer({
      min: 0,
      default: 0,
      doc: 'Of applications: instances that are kept when nothing runs. They cost what running ones cost.',
    }),
    worker_processes: field.integer({
      min: 1,
      max: MOST_PROCESSES,
      default: 1,
      doc: 'Of applications: processes of one instance, each of which runs activations. An instance of a job runs its calls one after the other.',
    }),
    concurrency: field.integer({
      min: 1,
      max: MOST_CONCURRENCY,
      default: 1,
      doc: 'Of applications: activations that one process runs at the same time. More than 1 is for functions that wait.',
    }),
    scale_down_delay: field.integer({
      min: SCALE_DOWN_DELAY_S.least,
      max: SCALE_DOWN_DELAY_S.most,
      default: 0,
      doc: 'Of applications: how long, in seconds, instances are kept after they were needed.',
    }),
    service_account: field.choice(['default', 'none', 'reader', 'writer', 'manager'], {
      default: 'none',
      doc: 'Service account of the project that workers have.',
    }),
    env_vars: field.any('mapping, or list of {name, value}', {
      doc: 'Environment variables of the workers. Anybody who may read the project sees them.',
    }),
    connection_retries: field.integer({
      min: 0,
      max: 20,
      default: 5,
      doc: 'How often a request of the API is sent again that was refused for a moment (429, 5xx), or whose connection broke.',
    }),
    endpoint: field.string({
      doc: 'URL of the API. Default: https://api.<region>.codeengine.cloud.ibm.com/v2; for a private endpoint.',
    }),
    iam_endpoint: field.string({
      default: 'https://iam.cloud.ibm.com',
      doc: 'Where API keys become tokens.',
    }),
    logs_endpoint: field.string({
      doc: 'URL of the instance of IBM Cloud Logs that gets the platform logs of the region, https://<instance id>.api.<region>.logs.cloud.ibm.com: `lithops logs` reads there.',
    }),
    namespace: field.ignored('the project tells it'),
    invoke_pool_threads: field.ignored('invocations need no threads'),
    remote_invoker: field.ignored('activations are sent from the client, which is fast enough'),
  },
})

type Section = ReturnType<typeof codeEngineSection.parse>['config']

export type CodeEngineConfig = Partial<Section>

export type Workload = 'jobs' | 'applications'

/** The section with defaults filled in and its nested parts checked. */
export interface CodeEngineSettings {
  readonly apiKey: string
  readonly region: string
  readonly resourceGroupId: string | undefined
  readonly projectName: string | undefined
  readonly projectId: string | undefined
  readonly user: string | undefined
  readonly workload: Workload
  readonly registry: {
    readonly dockerServer: string
    readonly dockerUser: string | undefined
    readonly dockerPassword: string | undefined
    readonly dockerNamespace: string | undefined
    readonly isPrivate: boolean
  }
  readonly runtime: string
  /** Images are made for functions, and have their code. */
  readonly includesFunctions: boolean
  readonly baseImage: string | undefined
  readonly containerTool: string | undefined
  readonly memoryMiB: number
  /** Undefined: the fewest with the memory. */
  readonly cpu: number | undefined
  readonly timeoutMs: number
  readonly maxWorkers: number
  readonly minWorkers: number
  readonly workerProcesses: number
  /** Of one process. */
  readonly concurrency: number
  readonly scaleDownDelayS: number
  readonly serviceAccount: string
  readonly environment: Readonly<Record<string, string>>
  readonly connectionRetries: number
  /** Without a slash at its end. */
  readonly endpoint: string
  readonly iamEndpoint: string
  /** Of an instance of IBM Cloud Logs. */
  readonly logsEndpoint: string | undefined
}

/** What the platform, and the worker on it, give variables of these names. */
const RESERVED = /^(JOB_.*|CE_.*|LITHOPS_(BATCH_INDEX|RUNTIME|ACCESS_KEY|TELL_BY_EXIT))$/

/** Throws ConfigError that names every problem. */
export function settingsOf(config: CodeEngineConfig): CodeEngineSettings {
  const problems: string[] = []
  const { iam_api_key: apiKey = '', region = '', docker_password: password } = config
  if (apiKey === '') problems.push('ibm.iam_api_key is missing: an API key of IBM Cloud')
  if (region === '')
    problems.push(`ibm.region, or code_engine.region, is missing: one of ${REGIONS.join(', ')}`)
  const { max_workers: maxWorkers = RUN_INDICES, min_workers: minWorkers = 0 } = config
  const { worker_processes: workerProcesses = 1, concurrency = 1, runtime_timeout: timeoutS = 600 } = config
  const workload: Workload = config.workload === 'applications' ? 'applications' : 'jobs'
  if (workload === 'applications') {
    if (workerProcesses * concurrency > MOST_CONCURRENCY)
      problems.push(
        `code_engine.worker_processes times code_engine.concurrency is ${workerProcesses * concurrency}: one instance takes ${MOST_CONCURRENCY} requests at once`,
      )
    if (timeoutS > APPLICATION_TIMEOUT_S)
      problems.push(
        `code_engine.runtime_timeout is ${timeoutS}: applications have ${APPLICATION_TIMEOUT_S} s at most, and jobs (code_engine.workload) a day`,
      )
    if (minWorkers > maxWorkers)
      problems.push(
        `code_engine.min_workers is ${minWorkers}, and code_engine.max_workers ${maxWorkers}, which is less`,
      )
  } else {
    for (const key of ['concurrency', 'min_workers', 'scale_down_delay'] as const)
      if ((config[key] ?? codeEngineDefault(key)) !== codeEngineDefault(key))
        problems.push(
          `code_engine.${key} is for applications: set code_engine.workload to 'applications', or leave it out`,
        )
  }
  const memoryMiB = config.runtime_memory ?? 256
  const size = sizeOf(memoryMiB, config.runtime_cpu)
  if (typeof size === 'string') problems.push(`code_engine.runtime_memory, code_engine.runtime_cpu: ${size}`)
  const server = config.docker_server ?? 'docker.io'
  const settings: CodeEngineSettings = {
    apiKey,
    region,
    resourceGroupId: config.resource_group_id,
    projectName: config.project_name,
    projectId: config.project_id,
    user: config.user,
    workload,
    registry: {
      dockerServer: server,
      dockerUser: config.docker_user,
      // the registry of the same cloud takes the same key
      dockerPassword: password ?? (/(^|\.)icr\.io$/.test(server) && apiKey !== '' ? apiKey : undefined),
      dockerNamespace: config.docker_namespace,
      isPrivate: config.private_registry ?? false,
    },
    runtime: config.runtime ?? 'default',
    includesFunctions: config.runtime_include_function ?? false,
    baseImage: config.base_image,
    containerTool: config.container_tool,
    memoryMiB,
    cpu: config.runtime_cpu,
    timeoutMs: timeoutS * 1000,
    maxWorkers,
    minWorkers,
    workerProcesses,
    concurrency,
    scaleDownDelayS: config.scale_down_delay ?? 0,
    serviceAccount: config.service_account ?? 'none',
    environment: environmentSetting('code_engine.env_vars', config.env_vars, {
      reserved: RESERVED,
      problems,
    }),
    connectionRetries: config.connection_retries ?? 5,
    endpoint: urlOf(
      'endpoint',
      config.endpoint ?? `https://api.${region}.codeengine.cloud.ibm.com/v2`,
      problems,
    ),
    iamEndpoint: urlOf('iam_endpoint', config.iam_endpoint ?? 'https://iam.cloud.ibm.com', problems),
    logsEndpoint:
      config.logs_endpoint === undefined ? undefined : urlOf('logs_endpoint', config.logs_endpoint, problems),
  }
  if (settings.baseImage !== undefined) parseImageReference(settings.baseImage)
  if (problems.length > 0)
    throw new ConfigError(`The configuration is wrong: ${problems.join('; ')}.`, { details: { problems } })
  return settings
}

/** Size of the instances of a runtime. Throws ConfigError where the platform has no such. */
export function instanceSize(settings: CodeEngineSettings, memoryMiB: number): InstanceSize {
  // a number of processors that fits the config's memory need not fit another
  const cpu = memoryMiB === settings.memoryMiB ? settings.cpu : undefined
  const size = sizeOf(memoryMiB, cpu)
  if (typeof size !== 'string') return size
  throw new ConfigError(`Code Engine has no instance as the runtime asks for: ${size}.`)
}

function codeEngineDefault(key: 'concurrency' | 'min_workers' | 'scale_down_delay'): number {
  return key === 'concurrency' ? 1 : 0
}

function urlOf(key: string, given: string, problems: string[]): string {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '')
    problems.push(`code_engine.${key} must be a URL, not '${given}'`)
  return given.replace(/\/+$/, '')
}
