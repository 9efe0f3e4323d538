import assert from 'node:assert/strict'
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { awsFaults, FakeAws } from '@lithops/fake-clouds/aws'

await using aws = await FakeAws.start({ quotas: { concurrentExecutions: 10 } })
Object.assign(process.env, aws.env) // or: new LambdaClient(aws.clientConfig)
const lambda = new LambdaClient()
const lost = aws.inject(awsFaults.loseReply(), { operation: 'Invoke', every: 20, times: 1000 })
aws.inject(awsFaults.throttle('CallerRateLimitExceeded', { retryAfterS: 1 }), { operation: 'GetFunction' })
await lambda.send(new GetFunctionCommand({ FunctionName: 'mine' })).catch(console.error) // and what is to be tried
assert.ok(lost.strikes > 0) // a fault that never struck proves nothing
console.log(aws.counts['lambda:Invoke'], aws.peakConcurrency, aws.environments.started)
