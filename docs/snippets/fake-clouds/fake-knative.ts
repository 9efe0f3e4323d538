import assert from 'node:assert/strict'
import { FunctionExecutor } from '@lithops/core'
import { FakeKnative, knativeFaults, STAND_IN_TOOL } from '@lithops/fake-clouds/knative'

await using cluster = await FakeKnative.start({ quota: { name: 'team', memoryMiB: 2048 } })
Object.assign(process.env, cluster.env) // KUBECONFIG, and a folder for images
const knative = { docker_server: cluster.registry.host, container_tool: STAND_IN_TOOL }
await using fexec = new FunctionExecutor({ backend: 'knative', config: { knative } })
const lost = cluster.inject(knativeFaults.loseReply(), { every: 20, times: 1000 })
cluster.inject(knativeFaults.answer(500, '{}'), { place: 'api', action: 'get ksvc' })
await fexec.getResult(fexec.map((x: number) => x * 2, [1, 2, 3])) // and what is to be tried
assert.ok(lost.strikes > 0) // a fault that never struck proves nothing
console.log(cluster.counts['create ksvc'], cluster.names('pods'), cluster.logs)
