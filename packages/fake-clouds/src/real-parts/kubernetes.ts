import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { generate } from 'selfsigned'
import { findProgram, PARTS_FOLDER } from './find-program.ts'
import { type KubernetesRequests, requestsOf } from './kubernetes-requests.ts'
import type { RealPart, RunningPart } from './real-part.ts'
import { answers, freePort, inFolder, ServerProcess } from './server-process.ts'

/** Somebody who did something, as the audit log has it. */
export interface KubernetesAuditEntry {
  readonly user: string
  readonly verb: string
  /** Empty for those of Kubernetes itself. */
  readonly group: string
  /** With its subresource: 'pods/log'. */
  readonly resource: string
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly status: number
}

/** A running API server. */
export interface KubernetesApi extends RunningPart, KubernetesRequests {
  /** https, with a certificate of its own. */
  readonly url: string
  /** The certificate in PEM, for clients. */
  readonly certificate: string
  /** Of one who may do everything. */
  readonly adminToken: string
  /** Of the user `tester`, who may do nothing until a binding says so. */
  readonly testerToken: string
  /** Knative Serving's own definitions of its resources, as YAML. */
  knativeDefinitions(): Promise<readonly string[]>
  /** What was done so far, with a status. Whoever has been answered is in it. */
  audit(): Promise<readonly KubernetesAuditEntry[]>
}

const PROGRAMS = ['kube-apiserver', 'etcd'] as const
const DEFINITIONS = ['service', 'configuration', 'revision', 'route'] as const
const START_MS = 110_000
/** What is written down: who did what, and how it was answered. */
const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted, Panic]
rules:
  - level: Metadata
`

/**
 * The API server of Kubernetes over etcd, with Knative Serving's own definitions at hand. It checks, keeps and tells objects, and
 * knows who may do what; controllers, nodes and their kubelets are not there, unless by `kubernetesCluster`: what acts on objects is
 * the test's. It serves a range of node ports that takes any port of the loopback.
 */
export const kubernetesApi: RealPart<KubernetesApi> = {
  name: 'Kubernetes API server',
  missing() {
    const missing = [
      ...PROGRAMS.filter(program => findProgram(program) === undefined),
      ...DEFINITIONS.map(definitionFile).filter(file => !existsSync(file)),
    ]
    if (missing.length === 0) return undefined
    return `real part missing: Kubernetes API server (no ${missing.join(', ')}; node scripts/install-real-parts.mjs kubernetes, with Go, in ten minutes or more)`
  },
  start: () =>
    inFolder('kubernetes', async (folder): Promise<KubernetesApi> => {
      const etcd = await startEtcd(folder)
      try {
        return await startApi(folder, etcd)
      } catch (error) {
        await etcd.server.close()
        throw error
      }
    }),
}

function definitionFile(name: string): string {
  return path.join(PARTS_FOLDER, 'knative-serving', `${name}.yaml`)
}

interface Etcd {
  readonly url: string
  readonly server: ServerProcess
}

async function startEtcd(folder: string): Promise<Etcd> {
  const [url, peerUrl] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`]
  const server = new ServerProcess({
    command: String(findProgram('etcd')),
    args: [
      `--data-dir=${path.join(folder, 'etcd')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    logFile: path.join(folder, 'etcd.log'),
    folder,
  })
  await server.ready(() => answers(`${url}/health`), START_MS)
  return { url, server }
}

async function startApi(folder: string, etcd: Etcd): Promise<KubernetesApi> {
  const file = async (name: string, text: string) => {
    await writeFile(path.join(folder, name), text, { mode: 0o600 })
    return path.join(folder, name)
  }
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const { cert: certificate, private: key } = await loopbackCertificate()
  const [adminToken, testerToken] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')]
  const tokens = `${adminToken},admin,admin,system:masters\n${testerToken},tester,tester\n`
  const port = await freePort()
  const url = `https://127.0.0.1:${port}`
  const auditLog = path.join(folder, 'audit.log')
  const [certificateFile, keyFile] = [await file('tls.pem', certificate), await file('tls-key.pem', key)]
  const flags = {
    'etcd-servers': etcd.url,
    'bind-address': '127.0.0.1',
    // the endpoint of the Service "kubernetes", which nobody asks for here, may not be of the loopback
    'advertise-address': '192.0.2.1',
    'endpoint-reconciler-type': 'none',
    'secure-port': port,
    'tls-cert-file': certificateFile,
    'tls-private-key-file': keyFile,
    // how a kubelet, where there is one, knows it
    'kubelet-client-certificate': certificateFile,
    'kubelet-client-key': keyFile,
    'token-auth-file': await file('tokens.csv', tokens),
    'authorization-mode': 'RBAC',
    'service-account-issuer': url,
    'service-account-signing-key-file': await file('accounts-key.pem', privateKey),
    'service-account-key-file': await file('accounts.pem', publicKey),
    'service-cluster-ip-range': '10.96.0.0/16',
    'service-node-port-range': '1024-65535',
    'kubelet-preferred-address-types': 'InternalIP',
    // no controller makes the service accounts that it would ask for
    'disable-admission-plugins': 'ServiceAccount',
    'audit-policy-file': await file('audit.yaml', AUDIT_POLICY),
    'audit-log-path': auditLog,
    profiling: false,
  }
  const server = new ServerProcess({
    command: String(findProgram('kube-apiserver')),
    args: Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    logFile: path.join(folder, 'apiserver.log'),
  })
  const requests = requestsOf({ port, certificate, token: adminToken })
  try {
    await server.ready(async () => {
      await requests.request('GET', '/readyz')
      return (await requests.request('GET', '/api/v1/namespaces/default')) !== undefined
    }, START_MS)
  } catch (error) {
    await server.close()
    throw error
  }
  return {
    url,
    certificate,
    adminToken,
    testerToken,
    knativeDefinitions: () => Promise.all(DEFINITIONS.map(name => readFile(definitionFile(name), 'utf8'))),
    ...requests,
    audit: async () => (await readFile(auditLog, 'utf8')).split('\n').filter(Boolean).flatMap(auditEntryOf),
    async close() {
      await server.close()
      await etcd.server.close()
    },
  }
}

/** A certificate for servers of the loopback, which trusts nobody but itself. */
export function loopbackCertificate(): Promise<{ readonly cert: string; readonly private: string }> {
  return generate([{ name: 'commonName', value: '127.0.0.1' }], {
    keySize: 2048,
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
}

interface AuditEvent {
  readonly verb: string
  readonly user: { readonly username: string }
  readonly objectRef?: {
    readonly apiGroup?: string
    readonly resource?: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
  readonly responseStatus?: { readonly code?: number }
}

/** The last line may be one that is being written. */
function auditEntryOf(line: string): readonly KubernetesAuditEntry[] {
  let event: AuditEvent
  try {
    event = JSON.parse(line) as AuditEvent
  } catch {
    return []
  }
  const { verb, user, objectRef: { apiGroup = '', resource = '', subresource, namespace, name } = {} } = event
  const status = event.responseStatus?.code ?? 0
  const what = subresource === undefined ? resource : `${resource}/${subresource}`
  return [{ user: user.username, verb, group: apiGroup, resource: what, namespace, name, status }]
}
