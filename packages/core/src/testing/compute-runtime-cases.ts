import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { COMPUTE_SPEC_VERSION, type RuntimeFunction, type RuntimeListing } from '../driver/compute-backend.ts'
import { InvocationError, LithopsError } from '../errors/index.ts'
import { PROTOCOL_VERSION } from '../worker/protocol.ts'
import { type ComputeCase, ONCE } from './compute-context.ts'
import { rejectsAborted, rejectsWith, within } from './kit.ts'

/** What the backend is, and its runtimes. */
export const runtimeCases: readonly ComputeCase[] = [
  {
    name: 'has a name, the contract version and capabilities that fit together',
    run: async ({ backend }) => {
      assert.equal(backend.specVersion, COMPUTE_SPEC_VERSION)
      assert.match(backend.name, /^[a-z][a-z0-9_]*$/)
      assert.ok(backend.kind === 'faas' || backend.kind === 'batch', `kind ${backend.kind}`)
      assert.equal(typeof backend.defaultRuntime.name, 'string')
      const { capabilities } = backend
      for (const limit of [
        'maxPayloadBytes',
        'maxReplyBytes',
        'maxTimeoutMs',
        'maxActivations',
        'callsAtOnce',
      ] as const) {
        assert.ok(capabilities[limit] > 0, `capabilities.${limit} is ${capabilities[limit]}`)
      }
      if (capabilities.streamsReplies)
        assert.ok(capabilities.synchronousReply, 'streamsReplies without reply')
      if (capabilities.adaptiveChunks)
        assert.ok(capabilities.streamsReplies, 'adaptiveChunks without streams')
    },
  },
  {
    name: 'deploys a runtime, any number of times and at once, and tells what it is',
    run: async ({ backend }) => {
      const runtime = backend.defaultRuntime
      const all = await Promise.all([1, 2, 3].map(() => backend.deployRuntime(runtime, {})))
      for (const metadata of [...all, await backend.deployRuntime(runtime, {})]) {
        assert.equal(metadata.protocolVersion, PROTOCOL_VERSION, 'protocolVersion')
        assert.match(metadata.nodeVersion, /^v\d+\.\d+/, 'nodeVersion')
        for (const field of ['lithopsVersion', 'platform', 'arch'] as const) {
          assert.equal(typeof metadata[field], 'string', field)
        }
      }
    },
  },
  {
    name: 'places secrets where functions and listings do not show them',
    skip: backend => (backend.capabilities.placesSecrets ? undefined : 'capabilities.placesSecrets is false'),
    run: async context => {
      const { backend } = context
      const storage = { storageId: 'conformance-1', storageName: 'conformance' }
      const told: unknown[] = []
      // twice: the second one replaces the first
      for (const password of ['conformance-secret-old', 'conformance-secret-new']) {
        const secrets = [{ ...storage, values: { password } }]
        told.push(await backend.deployRuntime(backend.defaultRuntime, { secrets }))
      }
      told.push(await backend.listRuntimes())
      const { fexec, invokes } = context.execute()
      // looked for there: the environment may be larger than a reply, and the whole word would be in the payload
      const isShown = () =>
        JSON.stringify([process.env, process.argv]).includes(['conformance', 'secret'].join('-'))
      assert.equal(
        await context.soon(fexec.callAsync(isShown, undefined, ONCE), 'a call'),
        false,
        'a function sees a secret',
      )
      for (const { activation } of invokes) told.push(Buffer.from(activation.payload).toString('latin1'))
      assert.ok(!JSON.stringify(told).includes('conformance-secret'), 'a secret is shown')
      await backend.deleteRuntime(backend.defaultRuntime)
    },
  },
  {
    name: 'runs functions that its runtimes bring, whose code no activation carries',
    skip: backend =>
      backend.capabilities.bakesFunctions ? undefined : 'capabilities.bakesFunctions is false',
    run: async context => {
      const { fexec, invokes } = context.execute()
      const one = (x: number) => ['conformance: code of one', x + 1]
      const other = (x: number) => ['conformance: code of other', x - 1]
      for (const [fn, word, value] of [
        [one, 'one', 2],
        [other, 'other', 0],
        [one, 'one', 2],
      ] as const)
        assert.deepEqual(
          await context.soon(fexec.callAsync(fn, 1, ONCE), `a call of ${word}`),
          [`conformance: code of ${word}`, value],
          word,
        )
      for (const { activation } of invokes)
        assert.ok(
          !Buffer.from(activation.payload).includes('conformance: code of'),
          'an activation carries code',
        )
    },
  },
  {
    name: 'extends a runtime by a function, once and under one name for the same content',
    skip: ({ extendRuntime }) =>
      extendRuntime === undefined ? 'the backend has no extendRuntime' : undefined,
    run: async ({ backend }) => {
      const base = backend.defaultRuntime.name
      const [one, other] = [functionOf(1), functionOf(2)]
      const extend = async (fn: RuntimeFunction) => {
        const extended = await backend.extendRuntime?.({ base, functions: [fn] }, {})
        assert.ok(extended !== undefined, 'extendRuntime gave nothing')
        return extended
      }
      const [first, second] = await Promise.all([extend(one), extend(one)])
      assert.equal(second.name, first.name, 'name of the same content')
      assert.notEqual(first.name, base, 'name of the extended runtime')
      assert.notEqual((await extend(other)).name, first.name, 'name of another content')
      const { functions } = first
      const runtime = { ...backend.defaultRuntime, name: first.name }
      const metadata = await backend.deployRuntime(
        functions === undefined ? runtime : { ...runtime, functions },
        {},
      )
      assert.ok(metadata.functions?.includes(one.hash), 'metadata.functions lacks the function')
      const again = await extend(one)
      assert.deepEqual([again.name, again.isBuilt], [first.name, false], 'extended again')
      await backend.deleteRuntime(runtime)
    },
  },
  {
    name: 'lists a deployed runtime, and removes it however often it is asked',
    run: async ({ backend }) => {
      const runtime = backend.defaultRuntime
      const before = namesOf(await backend.listRuntimes())
      await backend.deployRuntime(runtime, {})
      const deployed = namesOf(await backend.listRuntimes())
      assert.ok(deployed.includes(runtime.name), `listRuntimes after deployRuntime: ${deployed.join(', ')}`)
      await backend.deleteRuntime(runtime)
      await backend.deleteRuntime(runtime)
      assert.deepEqual(
        namesOf(await backend.listRuntimes()),
        before.includes(runtime.name) ? before : before.filter(name => name !== runtime.name),
        'listRuntimes after deleteRuntime',
      )
      await backend.deleteRuntime({ name: `never-was-${randomUUID().slice(0, 8)}` })
      await backend.deployRuntime(runtime, {})
    },
  },
  {
    name: 'an aborted signal ends deployRuntime and invoke before they begin',
    run: async context => {
      const { backend } = context
      const reason = new DOMException('enough', 'AbortError')
      const signal = AbortSignal.abort(reason)
      await rejectsAborted(backend.deployRuntime(backend.defaultRuntime, { signal }), reason, 'deployRuntime')
      let replies = 0
      const onReply = () => {
        replies++
      }
      const invoke = backend.invoke(context.strangeActivation(), { signal, onReply })
      await rejectsAborted(invoke, reason, 'invoke')
      assert.equal(replies, 0, 'replies of an activation that was aborted before')
    },
  },
]

/** The end of the backend, and what is left after it. */
export const closingCases: readonly ComputeCase[] = [
  {
    name: 'close ends activations under way',
    skip: ({ capabilities }) =>
      capabilities.synchronousReply ? undefined : 'capabilities.synchronousReply is false',
    run: async context => {
      const { fexec, invokes } = context.execute()
      const future = fexec.callAsync(() => new Promise(done => setTimeout(done, 60_000)), 0, ONCE)
      const failed = future.result().catch(error => error)
      const invoke = await context.firstInvoke(invokes)
      await within(context.backend.close(), context.timing.stopMs, 'close')
      const outcome = await within(invoke.settled, context.timing.stopMs, 'invoke of a closed backend')
      assert.equal(outcome.status, 'rejected', 'invoke of a closed backend')
      assert.ok(LithopsError.isInstance(await context.soon(failed, 'call')), 'error of the call')
    },
  },
  {
    name: 'can be closed twice, and refuses activations afterwards',
    run: async context => {
      const { backend } = context
      await backend.close()
      await backend.close()
      const invoke = backend.invoke(context.strangeActivation(), { onReply: () => {} })
      const error = await rejectsWith(invoke, InvocationError, 'invoke', 'LITHOPS_CLOSED')
      assert.equal(error.isRetryable, false, 'isRetryable')
    },
  },
  {
    name: 'prepare never throws',
    skip: ({ prepare }) => (prepare === undefined ? 'the backend has no prepare' : undefined),
    run: async ({ backend }) => {
      backend.prepare?.(backend.defaultRuntime)
      backend.prepare?.(backend.defaultRuntime, 2)
      await backend.close()
      backend.prepare?.(backend.defaultRuntime)
    },
  },
  {
    name: 'clean leaves nothing, and a dry run leaves everything',
    run: async context => {
      const { backend } = context
      await backend.clean()
      const before = namesOf(await backend.listRuntimes())
      const { fexec } = context.execute()
      await context.soon(
        fexec.callAsync((x: number) => x, 1, ONCE),
        'call',
      )
      const planned = await backend.clean({ dryRun: true })
      const deployed = namesOf(await backend.listRuntimes())
      assert.ok(deployed.length >= before.length, 'a dry run removed something')
      assert.deepEqual(await backend.clean(), planned, 'what was planned and what was removed')
      assert.deepEqual(await backend.clean(), [], 'what a second clean found')
      assert.deepEqual(namesOf(await backend.listRuntimes()), before, 'listRuntimes after clean')
    },
  },
]

/** A function as core bundles one, which adds a number. */
function functionOf(added: number): RuntimeFunction {
  const text = `export default $h => { $h.refs([() => x => x + ${added}]); $h.imports([]); return $h.done() }`
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32)
  return { name: `plus${added}`, hash, read: async () => Buffer.from(text) }
}

function namesOf(runtimes: readonly RuntimeListing[]): string[] {
  return runtimes.map(({ name }) => name).sort()
}
