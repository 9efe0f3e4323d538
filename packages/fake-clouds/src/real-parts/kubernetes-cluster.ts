import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram } from './find-program.ts'
import { killPod } from './kill-pod.ts'
import { type KubernetesApi, kubernetesApi } from './kubernetes.ts'
import {
  containerdConfig,
  kubeconfig,
  kubeletConfig,
  PAUSE_PROGRAM,
  writePauseImage,
} from './kubernetes-node.ts'
import type { RealPart } from './real-part.ts'
import { freePort, inFolder, ServerProcess } from './server-process.ts'

/** A running API server with a node, on which Jobs and pods really run. */
export interface KubernetesCluster extends KubernetesApi {
  /** Name of the only node, which is this machine. */
  readonly nodeName: string
  /** What the kubelet has written so far. */
  kubeletLog(): Promise<string>
  /**
   * SIGKILL to whatever runs in the containers of a pod, as the kernel of its machine does it: without a word to the API, or to them.
   *
   * @param uid of the pod
   */
  kill(uid: string): void
}

const PROGRAMS = [
  'kubelet',
  'kube-scheduler',
  'kube-controller-manager',
  PAUSE_PROGRAM,
  'containerd',
  'ctr',
  'runc',
  'unshare',
] as const
const NODE = fileURLToPath(new URL('kubernetes-node.mjs', import.meta.url))
/** What makes pods of Jobs, says that a node is ready, and removes what belonged to something that was removed. */
const CONTROLLERS = [
  'job-controller',
  'garbage-collector-controller',
  'namespace-controller',
  'node-lifecycle-controller',
  'taint-eviction-controller',
  'pod-garbage-collector-controller',
  'ttl-after-finished-controller',
]
const START_MS = 110_000

/**
 * Kubernetes with one node: the API server, its scheduler and controllers, and a kubelet that runs containers by containerd and runc.
 * Needs Linux and root. The node has no network of pods: they must ask for `hostNetwork`, and reach what listens on the loopback of
 * this machine, registries of images too, over plain http. There are no service accounts.
 */
export const kubernetesCluster: RealPart<KubernetesCluster> = {
  name: 'Kubernetes node',
  missing() {
    if (process.platform !== 'linux' || process.getuid?.() !== 0)
      return 'real part missing: Kubernetes node (a kubelet needs Linux, and to be root)'
    const missing = PROGRAMS.filter(program => findProgram(program) === undefined)
    if (missing.length === 0) return kubernetesApi.missing()
    return `real part missing: Kubernetes node (no ${missing.join(', ')}; node scripts/install-real-parts.mjs kubernetes kubelet, with Go, in fifteen minutes or more)`
  },
  start: () =>
    inFolder('kubelet', async (folder): Promise<KubernetesCluster> => {
      const started: { close(): Promise<void> }[] = []
      const close = async () => {
        // the node before those who would start its pods elsewhere, and they before the API
        for (const one of started.splice(0).reverse()) await one.close()
      }
      try {
        const api = await kubernetesApi.start()
        started.push(api)
        const config = path.join(folder, 'kubeconfig.json')
        await writeFile(config, kubeconfig(api), { mode: 0o600 })
        started.push(startController(folder, 'kube-controller-manager', { controllers: CONTROLLERS.join() }))
        started.push(startController(folder, 'kube-scheduler', {}))
        const group = `lithops-node-${randomBytes(6).toString('hex')}`
        const node = await startNode(folder, api, group)
        started.push(node)
        await node.ready(() => isReady(api), START_MS)
        return {
          ...api,
          nodeName: NODE_NAME,
          kubeletLog: () => readFile(path.join(folder, 'node.log'), 'utf8'),
          kill: uid => killPod(group, uid),
          close,
        }
      } catch (error) {
        await close()
        throw error
      }
    }),
}

const NODE_NAME = 'node-1'

function startController(
  folder: string,
  program: string,
  more: Readonly<Record<string, string>>,
): ServerProcess {
  const flags = {
    kubeconfig: path.join(folder, 'kubeconfig.json'),
    'leader-elect': false,
    // nobody asks them anything
    'secure-port': 0,
    profiling: false,
    ...more,
  }
  return new ServerProcess({
    command: String(findProgram(program)),
    args: Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    logFile: path.join(folder, `${program}.log`),
  })
}

async function startNode(folder: string, api: KubernetesApi, group: string): Promise<ServerProcess> {
  const [certificateFile, cniFolder] = [path.join(folder, 'clients.pem'), path.join(folder, 'cni')]
  await writeFile(certificateFile, api.certificate)
  await mkdir(cniFolder)
  await writeFile(path.join(cniFolder, 'loopback.conf'), CNI)
  await writeFile(path.join(folder, 'containerd.toml'), containerdConfig(folder, cniFolder))
  const port = await freePort()
  const settings = kubeletConfig({ folder, port, group, clientCertificateFile: certificateFile })
  await writeFile(path.join(folder, 'kubelet.json'), JSON.stringify(settings))
  await writePauseImage(folder)
  const programs = ['unshare', 'containerd', 'ctr', 'kubelet'].map(name => String(findProgram(name)))
  return new ServerProcess({
    command: process.execPath,
    args: [NODE, folder, group, ...programs],
    logFile: path.join(folder, 'node.log'),
    folder,
  })
}

/** A node without any network of pods counts as one that is not ready; with this one it is, and no pod asks for it. */
const CNI = JSON.stringify({ cniVersion: '0.4.0', name: 'loopback', type: 'loopback' })

interface NodeObject {
  readonly spec: { readonly taints?: readonly object[] }
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

async function isReady(api: KubernetesApi): Promise<boolean> {
  const { spec, status } = await api.request<NodeObject>('GET', `/api/v1/nodes/${NODE_NAME}`)
  const ready = status.conditions?.some(one => one.type === 'Ready' && one.status === 'True') ?? false
  return ready && (spec.taints ?? []).length === 0
}
