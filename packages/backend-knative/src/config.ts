import { environmentSetting, parseImageReference } from '@lithops/container-runtime'
import { ConfigError, defineConfigSection, field } from '@lithops/core/driver'
import {
  LEAST_CPU,
  LEAST_MEMORY_MIB,
  MOST_CONCURRENCY,
  MOST_PROCESSES,
  SCALE_DOWN_DELAY_S,
  TIMEOUT_S,
} from './limits.ts'

/** The section `knative`. From: lithops/serverless/backends/knative/config.py. */
export const knativeSection = defineConfigSection({
  name: 'knative',
  renamed: {
    kubecfg: 'kubecfg_path',
    kubeconfig: 'kubecfg_path',
    context: 'kubecfg_context',
    min_scale: 'min_workers',
    max_scale: 'max_workers',
  },
  fields: {
    namespace: field.string({
      doc: "Namespace of everything that is made. Default: that of the kubeconfig's context, else 'default'.",
    }),
    kubecfg_path: field.string({
      doc: 'Path of a kubeconfig. Default: KUBECONFIG, else ~/.kube/config, else the service account of the pod that the program runs in.',
    }),
    kubecfg_context: field.string({ doc: 'Context of the kubeconfig. Default: its current one.' }),
    user: field.string({
      doc: 'Part of all names, so that people who share a namespace stay apart. Default: the name of the user at this machine.',
    }),
    networking_layer: field.choice(['kourier', 'istio', 'contour'], {
      doc: 'Whose gateway leads into the cluster. Default: the first of these that is there, where the URL of a service cannot be reached by name.',
    }),
    ingress_endpoint: field.string({
      doc: 'Host and port, or URL, of the gateway, where it cannot be found: of a port forward, or of a load balancer before it.',
    }),
    docker_server: field.string({ default: 'docker.io', doc: 'Registry of images.' }),
    docker_user: field.string({
      doc: 'User of the registry. Images on docker.io lie below it. Default there: who has logged in with docker or podman.',
    }),
    docker_password: field.string({
      secret: true,
      doc: 'Password or token of the registry. It is used to push, and placed in the cluster as a pull secret. Without it, the logins of docker or podman are used to push, and the cluster must be able to pull by itself.',
    }),
    docker_namespace: field.string({ doc: 'Namespace in the registry, where it has such: icr.io needs it.' }),
    project_name: field.string({ doc: 'Project, for pkg.dev and gcr.io.' }),
    region: field.string({ doc: "Region, where docker_server is 'pkg.dev' alone." }),
    artifact_registry_repository: field.string({
      doc: 'Repository, for pkg.dev. Default: lithops.',
    }),
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
    architecture: field.choice(['amd64', 'arm64'], {
      default: 'amd64',
      doc: 'Processors of the workers.',
    }),
    runtime_memory: field.integer({
      min: LEAST_MEMORY_MIB,
      default: 512,
      doc: 'Memory of a worker in MiB, asked for and at most.',
    }),
    runtime_cpu: field.number({
      min: LEAST_CPU,
      default: 1,
      doc: 'Processors of a worker, asked for and at most; 0.5 is half of one.',
    }),
    runtime_timeout: field.integer({
      min: TIMEOUT_S.least,
      max: TIMEOUT_S.most,
      default: 600,
      doc: 'Time limit of one activation in seconds, by Knative itself.',
    }),
    max_workers: field.integer({ min: 1, default: 100, doc: 'Most workers of a runtime at once.' }),
    min_workers: field.integer({
      min: 0,
      default: 0,
      doc: 'Workers that are kept when nothing runs. They cost what running ones cost.',
    }),
    worker_processes: field.integer({
      min: 1,
      max: MOST_PROCESSES,
      default: 1,
      doc: 'Processes of one worker, each of which runs activations: give it as many processors with runtime_cpu.',
    }),
    concurrency: field.integer({
      min: 1,
      max: MOST_CONCURRENCY,
      default: 1,
      doc: 'Activations that one process runs at the same time. More than 1 is for functions that wait.',
    }),
    scale_down_delay: field.integer({
      min: SCALE_DOWN_DELAY_S.least,
      max: SCALE_DOWN_DELAY_S.most,
      default: 0,
      doc: 'How long, in seconds, workers are kept after they were needed, beyond the cluster’s own minute or so.',
    }),
    service_account: field.string({
      doc: 'Service account that workers have. Default: that of the namespace.',
    }),
    env_vars: field.any('mapping, or list of {name, value}', {
      doc: 'Environment variables of the workers. Anybody who may read services sees them.',
    }),
    invoke_pool_threads: field.ignored(
      'invocations need no threads; connections are opened as they are needed',
    ),
    remote_invoker: field.ignored('activations are sent from the client, which is fast enough'),
    service_host_suffix: field.ignored('the cluster tells the host of each service'),
    cluster: field.ignored('the kubeconfig tells the cluster'),
    git_url: field.ignored(
      'images are built on this machine, and not by Tekton: `lithops runtime build NAME -f Dockerfile` in a clone of it',
      { matters: () => true },
    ),
    git_rev: field.ignored('images are built on this machine, and not by Tekton: check it out there', {
      matters: () => true,
    }),
  },
})

type Section = ReturnType<typeof knativeSection.parse>['config']

export type KnativeConfig = Partial<Section>

export type NetworkingLayer = 'kourier' | 'istio' | 'contour'

/** The section with defaults filled in and its nested parts checked. */
export interface KnativeSettings {
  readonly namespace: string | undefined
  readonly kubeconfigPath: string | undefined
  readonly context: string | undefined
  readonly user: string | undefined
  readonly networkingLayer: NetworkingLayer | undefined
  /** Without a path; undefined where it must be found. */
  readonly ingress: URL | undefined
  readonly registry: {
    readonly dockerServer: string
    readonly dockerUser: string | undefined
    readonly dockerPassword: string | undefined
    readonly dockerNamespace: string | undefined
    readonly project: string | undefined
    readonly region: string | undefined
    readonly artifactRegistryRepository: string | undefined
    readonly isPrivate: boolean
  }
  readonly runtime: string
  /** Images are made for functions, and have their code. */
  readonly includesFunctions: boolean
  readonly baseImage: string | undefined
  readonly containerTool: string | undefined
  readonly architecture: 'amd64' | 'arm64'
  readonly memoryMiB: number
  /** Thousandths of a processor. */
  readonly cpuMillis: number
  readonly timeoutMs: number
  readonly maxWorkers: number
  readonly minWorkers: number
  readonly workerProcesses: number
  /** Of one process. */
  readonly concurrency: number
  readonly scaleDownDelayS: number
  readonly serviceAccount: string | undefined
  readonly environment: Readonly<Record<string, string>>
}

/** What the platform gives variables of these names. */
const RESERVED = /^K_(SERVICE|REVISION|CONFIGURATION)$/

/** Throws ConfigError that names every problem. */
export function settingsOf(config: KnativeConfig): KnativeSettings {
  const problems: string[] = []
  const { runtime_cpu: cpu = 1, max_workers: maxWorkers = 100, min_workers: minWorkers = 0 } = config
  const { worker_processes: workerProcesses = 1, concurrency = 1 } = config
  if (workerProcesses * concurrency > MOST_CONCURRENCY)
    problems.push(
      `knative.worker_processes times knative.concurrency is ${workerProcesses * concurrency}: Knative gives one worker ${MOST_CONCURRENCY} requests at once`,
    )
  const cpuMillis = Math.round(cpu * 1000)
  if (Math.abs(cpuMillis - cpu * 1000) > 1e-6)
    problems.push(`knative.runtime_cpu must have no more than three decimals, not ${cpu}`)
  if (minWorkers > maxWorkers)
    problems.push(
      `knative.min_workers is ${minWorkers}, and knative.max_workers ${maxWorkers}, which is less`,
    )
  checkLabel('namespace', config.namespace, problems)
  checkLabel('service_account', config.service_account, problems)
  const settings: KnativeSettings = {
    namespace: config.namespace,
    kubeconfigPath: config.kubecfg_path,
    context: config.kubecfg_context,
    user: config.user,
    networkingLayer: config.networking_layer as NetworkingLayer | undefined,
    ingress: ingressOf(config.ingress_endpoint, problems),
    registry: {
      dockerServer: config.docker_server ?? 'docker.io',
      dockerUser: config.docker_user,
      dockerPassword: config.docker_password,
      dockerNamespace: config.docker_namespace,
      project: config.project_name,
      region: config.region,
      artifactRegistryRepository: config.artifact_registry_repository,
      isPrivate: config.private_registry ?? false,
    },
    runtime: config.runtime ?? 'default',
    includesFunctions: config.runtime_include_function ?? false,
    baseImage: config.base_image,
    containerTool: config.container_tool,
    architecture: config.architecture === 'arm64' ? 'arm64' : 'amd64',
    memoryMiB: config.runtime_memory ?? 512,
    cpuMillis,
    timeoutMs: (config.runtime_timeout ?? 600) * 1000,
    maxWorkers,
    minWorkers,
    workerProcesses,
    concurrency,
    scaleDownDelayS: config.scale_down_delay ?? 0,
    serviceAccount: config.service_account,
    environment: environmentSetting('knative.env_vars', config.env_vars, { reserved: RESERVED, problems }),
  }
  if (settings.baseImage !== undefined) parseImageReference(settings.baseImage)
  if (problems.length > 0)
    throw new ConfigError(`The configuration is wrong: ${problems.join('; ')}.`, { details: { problems } })
  return settings
}

function checkLabel(key: string, value: string | undefined, problems: string[]): void {
  if (value !== undefined && !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value))
    problems.push(`knative.${key} must be up to 63 lower-case letters, digits and '-', not '${value}'`)
}

/** A URL, or a host with or without port. */
function ingressOf(given: string | undefined, problems: string[]): URL | undefined {
  if (given === undefined) return undefined
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.search === '')
    return url
  problems.push(
    `knative.ingress_endpoint must be a host and port, such as 203.0.113.7:80, or a URL without a path, not '${given}'`,
  )
  return undefined
}
