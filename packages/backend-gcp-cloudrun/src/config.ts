import { environmentSetting, parseImageReference } from '@lithops/container-runtime'
import { ConfigError, defineConfigSection, field } from '@lithops/core/driver'
import {
  flawOfJobPair,
  flawOfPair,
  JOB_TIMEOUT_S,
  LEAST_CPU,
  MEMORY_MIB,
  MOST_CONCURRENCY,
  MOST_PROCESSES,
  MOST_WORKERS,
  TIMEOUT_S,
} from './limits.ts'

/** The section `gcp_cloudrun`. From: lithops/serverless/backends/gcp_cloudrun/config.py. */
export const cloudRunSection = defineConfigSection({
  name: 'gcp_cloudrun',
  inherits: ['gcp'],
  renamed: {
    project: 'project_name',
    project_id: 'project_name',
    min_instances: 'min_workers',
    max_instances: 'max_workers',
    cpu: 'runtime_cpu',
  },
  fields: {
    region: field.string({ doc: 'Region of services and images, such as us-east1. Needed.' }),
    project_name: field.string({
      doc: 'Id of the project. Default: that of the credentials.',
    }),
    credentials_path: field.string({
      doc: "Path of a JSON file with the key of a service account. Default: the one in GOOGLE_APPLICATION_CREDENTIALS; without either, Google's library looks in its usual places: gcloud's login and the identity of the platform.",
    }),
    credentials: field.string({ secret: true, doc: 'Content of such a file, instead of its path.' }),
    user: field.string({
      doc: 'Part of all names, so that people who share a project stay apart. Default: the name of the user at this machine.',
    }),
    workload: field.choice(['services', 'jobs'], {
      default: 'services',
      doc: "What workers are: 'services', which answer HTTP, and whose instances stay for further calls; or 'jobs', batches of tasks that end, whose calls are told by the monitor, and may take a week.",
    }),
    docker_server: field.string({
      default: 'pkg.dev',
      doc: "Registry of images; 'pkg.dev' is Artifact Registry in the section's region.",
    }),
    docker_user: field.string({
      doc: "User of another registry. 'oauth2accesstoken' without a password: Google's own tokens are the passwords, as they are for pkg.dev and gcr.io.",
    }),
    docker_password: field.string({
      secret: true,
      doc: 'Password of another registry, to push with. Cloud Run pulls from Google’s registries, docker.io and what is public alone.',
    }),
    artifact_registry_repository: field.string({
      default: 'lithops',
      doc: 'Repository of Artifact Registry. It is made where it is not there.',
    }),
    runtime: field.string({
      default: 'default',
      doc: "'default', or an image of `lithops runtime build`: my-runtime:1 in the registry of this section, or with its registry.",
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
      min: MEMORY_MIB.least,
      max: MEMORY_MIB.most,
      doc: 'Memory of a worker in MiB; it must go with runtime_cpu. Default: 256; of jobs 512, the least that they have.',
    }),
    runtime_cpu: field.number({
      min: LEAST_CPU,
      doc: 'Processors of a worker: 0.08 to 1, or 2, 4, 6, 8. Less than 1 takes one request at a time. Default: 0.25; of jobs 1, the least that they have.',
    }),
    runtime_timeout: field.integer({
      min: TIMEOUT_S.least,
      max: JOB_TIMEOUT_S.most,
      default: 300,
      doc: `Time limit of one activation in seconds, by Cloud Run itself; of services ${TIMEOUT_S.most} at most. More than a day, of jobs, is a preview of the platform.`,
    }),
    max_workers: field.integer({
      min: 1,
      max: MOST_WORKERS,
      default: 100,
      doc: 'Most workers of a runtime at once; of jobs, of a program. The quota of the region may allow fewer.',
    }),
    min_workers: field.integer({
      min: 0,
      default: 0,
      doc: 'Of services: workers that are kept when nothing runs. They cost a good part of what running ones cost.',
    }),
    worker_processes: field.integer({
      min: 1,
      max: MOST_PROCESSES,
      default: 1,
      doc: 'Of services: processes of one worker, each of which runs activations: give it as many processors with runtime_cpu.',
    }),
    concurrency: field.integer({
      min: 1,
      max: MOST_CONCURRENCY,
      default: 1,
      doc: "Of services: activations that one process runs at the same time. 80, the platform's own default, is for functions that wait; it needs a runtime_cpu of 1 or more.",
    }),
    service_account: field.string({
      doc: 'Service account that workers have. Default: the default account of Compute Engine.',
    }),
    env_vars: field.any('mapping, or list of {name, value}', {
      doc: 'Environment variables of the workers. Whoever may look at services and jobs sees them.',
    }),
    endpoint: field.string({
      doc: "URL in place of those of all of Google's APIs that are used here, for private endpoints and emulators. Default: https://run.googleapis.com and the like.",
    }),
    trigger: field.ignored('workers are called over HTTPS', { matters: trigger => trigger !== 'https' }),
    invoke_pool_threads: field.ignored(
      'invocations need no threads; connections are opened as they are needed',
    ),
    remote_invoker: field.ignored('activations are sent from the client, which is fast enough'),
  },
})

type Section = ReturnType<typeof cloudRunSection.parse>['config']

export type CloudRunConfig = Partial<Section>

export type Workload = 'services' | 'jobs'

/** The section with defaults filled in and its nested parts checked. */
export interface CloudRunSettings {
  readonly region: string
  readonly workload: Workload
  /** Undefined: that of the credentials. */
  readonly project: string | undefined
  readonly credentialsPath: string | undefined
  readonly credentials: string | undefined
  readonly user: string | undefined
  readonly dockerServer: string
  readonly dockerUser: string | undefined
  readonly dockerPassword: string | undefined
  readonly repository: string
  readonly runtime: string
  /** Images are made for functions, and have their code. */
  readonly includesFunctions: boolean
  readonly baseImage: string | undefined
  readonly containerTool: string | undefined
  /** Cloud Run has no other. From: "Container runtime contract", "Languages and images". */
  readonly architecture: 'amd64'
  readonly memoryMiB: number
  readonly cpu: number
  readonly timeoutMs: number
  readonly maxWorkers: number
  readonly minWorkers: number
  readonly workerProcesses: number
  /** Of one process. */
  readonly concurrency: number
  readonly serviceAccount: string | undefined
  readonly environment: Readonly<Record<string, string>>
  /** Without a path; undefined for Google's own. */
  readonly endpoint: URL | undefined
}

/** What the platform gives variables of these names. From: "Container runtime contract", "Environment variables". */
const RESERVED =
  /^(K_(SERVICE|REVISION|CONFIGURATION)|CLOUD_RUN_\w+|GOOGLE_CLOUD_PROJECT|LITHOPS_(RUN|TELL_BY_EXIT))$/
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Throws ConfigError that names every problem. */
export function settingsOf(config: CloudRunConfig): CloudRunSettings {
  const problems: string[] = []
  const workload: Workload = config.workload === 'jobs' ? 'jobs' : 'services'
  const isJobs = workload === 'jobs'
  const { region = '', runtime_cpu: cpu = isJobs ? 1 : 0.25 } = config
  const { runtime_memory: memoryMiB = isJobs ? 512 : 256, runtime_timeout: timeoutS = 300 } = config
  const { max_workers: maxWorkers = 100, min_workers: minWorkers = 0 } = config
  const { worker_processes: workerProcesses = 1, concurrency = 1 } = config
  if (!/^[a-z]+-[a-z]+\d+$/.test(region))
    problems.push(
      region === ''
        ? 'gcp_cloudrun.region is missing: give it here or in the section gcp, such as us-east1'
        : `gcp_cloudrun.region must be a region, such as us-east1, not '${region}'`,
    )
  if (config.project_name !== undefined && !/^[a-z][a-z0-9:.-]{4,}[a-z0-9]$/.test(config.project_name))
    problems.push(`gcp_cloudrun.project_name must be the id of a project, not '${config.project_name}'`)
  const flaw = (isJobs ? flawOfJobPair : flawOfPair)(cpu, memoryMiB)
  if (flaw !== undefined) problems.push(`gcp_cloudrun.runtime_cpu and runtime_memory: ${flaw}`)
  if (Math.abs(Math.round(cpu * 1000) - cpu * 1000) > 1e-6)
    problems.push(`gcp_cloudrun.runtime_cpu must have no more than three decimals, not ${cpu}`)
  if (isJobs) {
    for (const [key, usual] of [
      ['min_workers', 0],
      ['worker_processes', 1],
      ['concurrency', 1],
    ] as const)
      if ((config[key] ?? usual) !== usual)
        problems.push(
          `gcp_cloudrun.${key} is for services: leave it out, or gcp_cloudrun.workload, which is 'jobs'`,
        )
  } else if (timeoutS > TIMEOUT_S.most)
    problems.push(
      `gcp_cloudrun.runtime_timeout is ${timeoutS}: services have ${TIMEOUT_S.most} s at most, and jobs (gcp_cloudrun.workload) a week`,
    )
  const atOnce = workerProcesses * concurrency
  if (cpu < 1 && atOnce > 1 && !isJobs)
    problems.push(
      `gcp_cloudrun.worker_processes times gcp_cloudrun.concurrency is ${atOnce}: Cloud Run gives a worker with ${cpu} processors one request at a time; set runtime_cpu to 1 or more`,
    )
  if (atOnce > MOST_CONCURRENCY)
    problems.push(
      `gcp_cloudrun.worker_processes times gcp_cloudrun.concurrency is ${atOnce}: Cloud Run gives one worker ${MOST_CONCURRENCY} requests at once`,
    )
  if (minWorkers > maxWorkers)
    problems.push(
      `gcp_cloudrun.min_workers is ${minWorkers}, and gcp_cloudrun.max_workers ${maxWorkers}, which is less`,
    )
  if (config.credentials !== undefined && config.credentials_path !== undefined)
    problems.push('gcp_cloudrun has credentials and credentials_path: give one of them')
  const account = config.service_account
  if (account !== undefined && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(account))
    problems.push(
      `gcp_cloudrun.service_account must be the address of a service account, such as name@project.iam.gserviceaccount.com, not '${account}'`,
    )
  const settings: CloudRunSettings = {
    region,
    workload,
    project: config.project_name,
    credentialsPath: config.credentials_path,
    credentials: config.credentials,
    user: config.user,
    dockerServer: config.docker_server ?? 'pkg.dev',
    dockerUser: config.docker_user,
    dockerPassword: config.docker_password,
    repository: config.artifact_registry_repository ?? 'lithops',
    runtime: config.runtime ?? 'default',
    includesFunctions: config.runtime_include_function ?? false,
    baseImage: config.base_image,
    containerTool: config.container_tool,
    architecture: 'amd64',
    memoryMiB,
    cpu,
    timeoutMs: timeoutS * 1000,
    maxWorkers,
    minWorkers,
    workerProcesses,
    concurrency,
    serviceAccount: account,
    environment: environmentSetting('gcp_cloudrun.env_vars', config.env_vars, {
      reserved: RESERVED,
      problems,
    }),
    endpoint: endpointOf(config.endpoint, problems),
  }
  if (settings.baseImage !== undefined) parseImageReference(settings.baseImage)
  if (problems.length > 0)
    throw new ConfigError(`The configuration is wrong: ${problems.join('; ')}.`, { details: { problems } })
  return settings
}

function endpointOf(given: string | undefined, problems: string[]): URL | undefined {
  if (given === undefined) return undefined
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '')
    problems.push(
      `gcp_cloudrun.endpoint must be a URL without a path that begins with https:// or http://, not '${given}'`,
    )
  else if (!isSecret(url))
    problems.push(
      `gcp_cloudrun.endpoint: tokens would go to ${given} for all to read; give one that begins with https://`,
    )
  return url
}

/** Bearer tokens are for whoever reads them: over plain HTTP they go to this machine only. */
export function isSecret(url: URL): boolean {
  return url.protocol === 'https:' || LOOPBACK.test(url.hostname)
}
