import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from './find-program.ts'
import type { KubernetesApi } from './kubernetes.ts'

const run = promisify(execFile)

/** Built by scripts/install-real-parts.mjs. */
export const PAUSE_PROGRAM = 'kubernetes-pause'
const PAUSE_IMAGE = 'localhost/kubernetes-pause:1'
/** Where distributions put the programs that make networks. */
const CNI_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni']

/** How the parts of a cluster reach its API server; they may do everything. */
export function kubeconfig({ url, certificate, adminToken }: KubernetesApi): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'here',
        cluster: { server: url, 'certificate-authority-data': Buffer.from(certificate).toString('base64') },
      },
    ],
    users: [{ name: 'admin', user: { token: adminToken } }],
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'admin' } }],
    'current-context': 'here',
  })
}

/** For containerd 1.6 and later with configurations of version 2. */
export function containerdConfig(folder: string, cniFolder: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = "${folder}/containerd"
state = "${folder}/containerd-state"
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]
[grpc]
address = "${folder}/containerd.sock"
[${cri}]
sandbox_image = "${PAUSE_IMAGE}"
disable_apparmor = true
# containers that are spared at the machine's own want of memory need a right that a root of a container has not
restrict_oom_score_adj = true
[${cri}.cni]
bin_dir = "${CNI_FOLDERS.find(one => existsSync(one)) ?? CNI_FOLDERS[0]}"
conf_dir = "${cniFolder}"
[${cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
BinaryName = "${findProgram('runc')}"
SystemdCgroup = false
`
}

/** A KubeletConfiguration. */
export function kubeletConfig({
  folder,
  port,
  group,
  clientCertificateFile,
}: {
  readonly folder: string
  readonly port: number
  /** Its control group, which is there in every hierarchy. */
  readonly group: string
  /** Of the API server as a client of the kubelet, and of nobody else. */
  readonly clientCertificateFile: string
}): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    port,
    healthzPort: 0,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: clientCertificateFile },
    },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${folder}/containerd.sock`,
    podLogsDir: path.join(folder, 'pod-logs'),
    volumePluginDir: path.join(folder, 'volume-plugins'),
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${group}`,
    // there are machines yet that have no other
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    makeIPTablesUtilChains: false,
    resolvConf: '/etc/resolv.conf',
    // what else this machine has on its disk is not the node's to judge
    evictionHard: Object.fromEntries(
      [
        'memory.available',
        'nodefs.available',
        'nodefs.inodesFree',
        'imagefs.available',
        'imagefs.inodesFree',
      ].map(signal => [signal, '0%']),
    ),
    imageGCHighThresholdPercent: 100,
    // many pods that live shortly
    kubeAPIQPS: 50,
    kubeAPIBurst: 100,
    serializeImagePulls: false,
    registryPullQPS: 0,
    eventRecordQPS: 0,
  }
}

/** Writes `pause.tar`, an image of the program that holds a pod, in the form of `docker save`. */
export async function writePauseImage(folder: string): Promise<void> {
  const place = path.join(folder, 'pause')
  await mkdir(place)
  await copyFile(String(findProgram(PAUSE_PROGRAM)), path.join(place, 'pause'))
  await run('tar', ['-cf', 'layer.tar', 'pause'], { cwd: place })
  const hash = createHash('sha256')
    .update(await readFile(path.join(place, 'layer.tar')))
    .digest('hex')
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Entrypoint: ['/pause'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${hash}`] },
  }
  await writeFile(path.join(place, 'config.json'), JSON.stringify(config))
  const manifest = [{ Config: 'config.json', RepoTags: [PAUSE_IMAGE], Layers: ['layer.tar'] }]
  await writeFile(path.join(place, 'manifest.json'), JSON.stringify(manifest))
  await run('tar', ['-cf', path.join(folder, 'pause.tar'), 'manifest.json', 'config.json', 'layer.tar'], {
    cwd: place,
  })
}
