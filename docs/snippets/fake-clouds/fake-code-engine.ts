import assert from 'node:assert/strict'
import { FunctionExecutor } from '@lithops/core'
import { codeEngineFaults, FakeCodeEngine } from '@lithops/fake-clouds/code-engine'
import { STAND_IN_TOOL } from '@lithops/fake-clouds/knative'

await using cloud = await FakeCodeEngine.start({ mostInstances: 8 })
Object.assign(process.env, cloud.env) // a folder for images
const code_engine = {
  ...cloud.section,
  docker_server: cloud.registry.host,
  container_tool: STAND_IN_TOOL,
  workload: 'applications',
}
await using fexec = new FunctionExecutor({ backend: 'code_engine', config: { code_engine } })
const busy = cloud.inject(codeEngineFaults.tooMany(), { action: 'POST apps' })
await fexec.getResult(fexec.map((x: number) => x * 2, [1, 2, 3])) // and what is to be tried
assert.ok(busy.strikes > 0) // a fault that never struck proves nothing
console.log(cloud.counts['POST apps'], cloud.names('secrets'), cloud.logs)
