import assert from 'node:assert/strict'
import { FunctionExecutor } from '@lithops/core'
import { cloudRunFaults, FakeCloudRun, STAND_IN_TOOL } from '@lithops/fake-clouds/cloudrun'

await using cloud = await FakeCloudRun.start({ quota: { cpuMillis: 20_000 } })
Object.assign(process.env, cloud.env) // GOOGLE_APPLICATION_CREDENTIALS, and a folder for images
const { endpoint, region, registry } = cloud
const images = {
  docker_server: registry.host,
  docker_user: 'oauth2accesstoken',
  container_tool: STAND_IN_TOOL,
}
const gcp_cloudrun = { ...images, endpoint, region, max_workers: 4 }
await using fexec = new FunctionExecutor({ backend: 'gcp_cloudrun', config: { gcp_cloudrun } })
const lost = cloud.inject(cloudRunFaults.loseReply(), { every: 20, times: 1000 })
cloud.inject(cloudRunFaults.rateLimited(), { place: 'api', action: 'create service' })
await fexec.getResult(fexec.map((x: number) => x * 2, [1, 2, 3])) // and what is to be tried
assert.ok(lost.strikes > 0) // a fault that never struck proves nothing
console.log(cloud.counts['create service'], cloud.instanceCount, cloud.logs)
