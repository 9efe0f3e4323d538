import { FunctionExecutor } from '@lithops/core'
import { computeConformance } from '@lithops/core/testing'
import { KnativeOnKubernetes } from '@lithops/fake-clouds/knative-on-kubernetes'
import { kubernetesApi, withRealPart } from '@lithops/fake-clouds/real-parts'
import { afterEach, describe, expect } from 'vitest'
import { settingsOf } from '../src/config.ts'
import { policiesOf } from '../src/policies.ts'
import { clientsOf } from './cluster.ts'

// The same on a real API server of Kubernetes with Knative's own definitions: what it does not take of us, and what it does not let
// us do, is its own word.

const server = withRealPart(kubernetesApi)
const there = clientsOf(() => KnativeOnKubernetes.start(server.part, { timing: { graceMs: 5_000 } }))
const settings = { max_workers: 4, runtime_memory: 256 }
const twice = (x: number) => x * 2
const TIMEOUT = { timeout: 180_000 }

function real(name: string, run: (cluster: KnativeOnKubernetes) => Promise<void>): void {
  server.test(
    name,
    async () => {
      const cluster = await there.start()
      await run(cluster)
      expect(cluster.failures).toEqual([])
    },
    TIMEOUT,
  )
}

async function nothingLeft(cluster: KnativeOnKubernetes): Promise<void> {
  for (const kind of ['services', 'secrets', 'pods'] as const)
    expect([kind, await cluster.names(kind)]).toEqual([kind, []])
  for (const kind of ['configurations', 'revisions', 'routes'] as const)
    await expect.poll(() => cluster.names(kind), { timeout: 20_000 }).toEqual([])
}

afterEach(async () => {
  if (kubernetesApi.missing() === undefined) (await there.start()).clear()
})

describe('a real API server', () => {
  real(
    'takes what is deployed, runs calls, lists, removes, and has nothing of ours in the end',
    async cluster => {
      const backend = await there.open(settings)
      await using fexec = new FunctionExecutor({ backend })
      expect(await fexec.getResult(fexec.map(twice, [1, 2, 3]))).toEqual([2, 4, 6])
      const [service] = await cluster.objects('services')
      expect(service?.metadata).toMatchObject({
        generation: 1,
        annotations: { 'serving.knative.dev/creator': 'tester' },
        labels: { 'app.kubernetes.io/managed-by': 'lithops-typescript' },
      })
      expect(service?.spec).toMatchObject({
        traffic: [{ latestRevision: true, percent: 100 }],
        template: { spec: { containerConcurrency: 1, containers: [{ name: 'user-container' }] } },
      })
      expect(await backend.listRuntimes()).toEqual([
        expect.objectContaining({ name: 'default', memoryMiB: 256, workerName: service?.metadata.name }),
      ])
      expect((await backend.clean({ dryRun: true })).length).toBeGreaterThan(0)
      expect(await cluster.names('services')).toHaveLength(1)
      await backend.clean()
      await nothingLeft(cluster)
    },
  )

  real('changes a service for other secrets: a new generation, whose workers have them', async cluster => {
    const backend = await there.open(settings)
    const secret = (value: string) => [{ storageId: 's', storageName: 's', values: { key: value } }]
    await backend.deployRuntime(backend.defaultRuntime, { secrets: secret('the first word') })
    await backend.deployRuntime(backend.defaultRuntime, { secrets: secret('another word') })
    const [service] = await cluster.objects('services')
    // the version of the Secret alone is in the template
    expect(service?.metadata.generation).toBe(2)
    expect(JSON.stringify([service, await cluster.objects('pods')])).not.toMatch(/word/)
    const name = service?.metadata.name ?? ''
    const ready = {
      conditions: expect.arrayContaining([expect.objectContaining({ type: 'Ready', status: 'True' })]),
    }
    // by their owners they would go with the service, where there is a collector of garbage
    const owned = async (kind: 'configurations' | 'routes' | 'revisions') =>
      (await cluster.objects(kind)).at(-1)
    await expect
      .poll(() => owned('revisions'), { timeout: 20_000 })
      .toMatchObject({
        metadata: {
          name: `${name}-00002`,
          labels: { 'serving.knative.dev/configurationGeneration': '2' },
          ownerReferences: [{ kind: 'Configuration', name }],
        },
        status: ready,
      })
    for (const kind of ['configurations', 'routes'] as const)
      await expect
        .poll(() => owned(kind), { timeout: 20_000 })
        .toMatchObject({
          metadata: { name, ownerReferences: [{ kind: 'Service', uid: service?.metadata.uid }] },
          status: ready,
        })
    await using fexec = new FunctionExecutor({ backend })
    expect(await fexec.callAsync(twice, 4)).toBe(8)
    // what functions see has no secret
    const seen = await fexec.callAsync(() => JSON.stringify(process.env), 0)
    expect(seen).not.toMatch(/LITHOPS_SECRETS|another word/)
    await backend.deleteRuntime(backend.defaultRuntime)
    expect(await backend.listRuntimes()).toEqual([])
    await backend.clean()
    await nothingLeft(cluster)
  })

  real('tells why a revision does not become ready, and keeps nothing of it', async cluster => {
    const backend = await there.open({ ...settings, env_vars: { NODE_OPTIONS: '--no-such-option' } })
    await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringMatching(/CrashLoopBackOff: .*exit code 9.*no-such-option is not allowed/s),
    })
    await expect.poll(() => cluster.names('pods'), TIMEOUT).toEqual([])
    await nothingLeft(cluster)
  })

  real('tells of an image that cannot be pulled, and keeps nothing of it', async cluster => {
    const take = cluster.registry.pull.bind(cluster.registry)
    cluster.registry.pull = () => undefined
    const backend = await there.open({ ...settings, runtime_memory: 260 })
    await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringMatching(/ImagePullBackOff: .*not found.*can it reach the registry/s),
    })
    cluster.registry.pull = take
    await expect.poll(() => cluster.names('pods'), TIMEOUT).toEqual([])
    await nothingLeft(cluster)
  })

  real('counts services: a quota that is used up is named', async cluster => {
    await cluster.limitServices('team-quota', 1)
    const backend = await there.open(settings)
    await backend.deployRuntime(backend.defaultRuntime)
    const second = await there.open({ ...settings, runtime_memory: 300 })
    await expect(second.deployRuntime(second.defaultRuntime)).rejects.toMatchObject({
      message: expect.stringMatching(/count\/services.*'team-quota'.*lithops clean/s),
    })
    await backend.clean()
    await cluster.unlimit('team-quota')
    await nothingLeft(cluster)
  })

  real('knows nobody with a token that has expired, and the error says what to do', async cluster => {
    const backend = await there.open(settings)
    cluster.writeKubeconfig('a-token-that-has-expired')
    await expect(backend.listRuntimes()).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringMatching(/401.*log in to the cluster anew/s),
    })
    cluster.writeKubeconfig()
    expect(await backend.listRuntimes()).toEqual([])
  })

  real('has many programs deploy at once, and one service in the end', async cluster => {
    const backends = []
    for (let i = 0; i < 4; i++) {
      there.newCache()
      backends.push(await there.open(settings))
    }
    await Promise.all(backends.map(one => one.deployRuntime(one.defaultRuntime)))
    expect(await cluster.names('services')).toHaveLength(1)
    await backends[0]?.clean()
    await nothingLeft(cluster)
  })
})

describe('rights', () => {
  real('of the page are enough for everything, and none of them is spare', async cluster => {
    const documents = policiesOf(settingsOf({})).map(({ document }) => document as Rules)
    await cluster.grant(documents)
    const before = await cluster.auditEntries()
    const secrets = [{ storageId: 's', storageName: 's', values: { key: 'v' } }]
    const login = { docker_user: 'somebody', docker_password: 'with a password' }
    there.newCache()
    const backend = await there.open({ ...settings, ...login })
    await using fexec = new FunctionExecutor({ backend })
    const future = fexec.callAsync(twice, 1)
    expect(await future).toBe(2)
    await backend.deployRuntime(backend.defaultRuntime, { secrets })
    await backend.deployRuntime(backend.defaultRuntime, {
      secrets: [{ ...secrets[0], storageId: 't', storageName: 't', values: { key: 'w' } }],
    })
    await fexec.logsOf(future)
    expect(await fexec.listRuntimes()).toHaveLength(1)
    await backend.clean()
    const done = await cluster.audit(before)
    expect(done.filter(({ status }) => status === 403)).toEqual([])
    const used = new Set(done.map(({ verb, group, resource }) => `${verb} ${resource}.${group}`))
    // nodes are asked where the gateway has a node port alone
    const granted = documents.flatMap(({ rules = [] }) =>
      rules.flatMap(({ apiGroups, resources, verbs }) =>
        verbs.flatMap(verb => resources.map(resource => `${verb} ${resource}.${apiGroups[0]}`)),
      ),
    )
    expect([...used].sort()).toEqual(granted.filter(one => one !== 'list nodes.').sort())
    await cluster.grant(undefined)
    await nothingLeft(cluster)
  })

  real('that are missing are named by the server, with what prints them', async cluster => {
    const [role, binding] = policiesOf(settingsOf({})).map(({ document }) => document as Rules)
    const without = (resource: string) => ({
      ...role,
      rules: role?.rules?.filter(({ resources }) => !resources.includes(resource)),
    })
    await cluster.grant([without('secrets'), binding ?? {}])
    const secrets = [{ storageId: 's', storageName: 's', values: { key: 'v' } }]
    const backend = await there.open(settings)
    await expect(backend.deployRuntime(backend.defaultRuntime, { secrets })).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringMatching(
        /"tester" cannot get resource "secrets".*lithops runtime policies -b knative/s,
      ),
    })
    await cluster.grant(undefined)
    await backend.clean()
    await nothingLeft(cluster)
  })

  real('on pods may be missing: jobs run, and only logs and reasons are shorter', async cluster => {
    const [role, binding] = policiesOf(settingsOf({ ingress_endpoint: cluster.gateway })).map(
      ({ document }) => document as Rules,
    )
    const rules = role?.rules?.filter(({ resources }) => !resources.some(one => /^pods/.test(one)))
    await cluster.grant([{ ...role, rules }, binding ?? {}])
    const backend = await there.open({ ...settings, ingress_endpoint: cluster.gateway })
    await using fexec = new FunctionExecutor({ backend })
    expect(await fexec.getResult(fexec.map(twice, [1, 2]))).toEqual([2, 4])
    expect(await backend.clean()).not.toEqual([])
    await cluster.grant(undefined)
    await expect.poll(() => cluster.names('pods'), TIMEOUT).toEqual([])
    await nothingLeft(cluster)
  })
})

/** What is read here of a Role; bindings have no rules. */
interface Rules {
  readonly rules?: readonly {
    readonly apiGroups: readonly string[]
    readonly resources: readonly string[]
    readonly verbs: readonly string[]
  }[]
}

describe('the kit', () => {
  computeConformance({
    test: (name, run) => server.test(name, run, TIMEOUT),
    createBackend: () => there.open(settings),
    timing: { callMs: 90_000, manyCalls: 100 },
  })
})
