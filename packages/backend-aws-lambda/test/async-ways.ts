import { FunctionExecutor } from '@lithops/core'
import { awsFaults, type FakeAws } from '@lithops/fake-clouds/aws'
import { minio, rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'
import { cloud } from './cloud.ts'

const range = (n: number) => Array.from({ length: n }, (_, i) => i)

/** The two ways home of events, on a stand-in of the test file's own. */
export function asyncWays() {
  // an environment is a process here: events of a whole map must not start one each
  const quotas = { concurrentExecutions: 6, requestsPerSecondPerConcurrency: 1000 }
  const there = cloud({ quotas, timing: { asyncBackoffMs: 20 } })
  const objects = withRealPart(minio)
  const broker = withRealPart(rabbitmq)
  const open = async (config: Readonly<Record<string, unknown>>, options: object) => {
    const backend = await there.open({ max_workers: 6, runtime_timeout: 3 })
    const fexec = new FunctionExecutor({ backend, ...options, config })
    // the first event deploys, with what the way home needs
    expect(await fexec.callAsync((x: number) => x * 2, 1)).toBe(2)
    return { aws: await there.start(), backend, fexec }
  }
  return [
    {
      name: 'the storage monitor',
      test: objects.test,
      open: () => {
        const { endpoint, accessKeyId, secretAccessKey } = objects.part
        const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey }
        const config = { minio: { endpoint, ...keys, storage_bucket: 'lambda-faults' } }
        return open(config, { storage: 'minio', monitoring: 'storage' })
      },
    },
    {
      name: 'RabbitMQ',
      test: broker.test,
      open: () =>
        open({ rabbitmq: { amqp_url: broker.part.url } }, { storage: 'storageless', monitoring: 'rabbitmq' }),
    },
  ]
}

/**
 * One environment in twenty is killed so long after its event was begun, and every other event is delivered twice: each call
 * ends once with the right value.
 */
export async function checkFaults(
  { aws, fexec }: { readonly aws: FakeAws; readonly fexec: FunctionExecutor },
  { calls, killAfterMs, callMs }: { calls: number; killAfterMs: number; callMs: number },
) {
  aws.clear()
  const always = { operation: 'Invoke', times: Number.POSITIVE_INFINITY }
  const kills = aws.inject(awsFaults.killEnvironment(killAfterMs), {
    operation: 'Invoke',
    every: 20,
    times: calls / 20,
  })
  const copies = aws.inject(awsFaults.duplicate(1), always)
  let ended = 0
  const twice = async (x: number, ms: number) => {
    await new Promise(done => setTimeout(done, ms))
    return x * 2
  }
  const futures = fexec.map<number, number, [number]>(twice, range(calls), { extraArgs: [callMs] })
  for await (const _ of futures) ended++
  expect(ended).toBe(calls)
  expect(await fexec.getResult(futures)).toEqual(range(calls).map(x => x * 2))
  expect(kills.strikes).toBe(calls / 20)
  expect(copies.strikes).toBeGreaterThanOrEqual(calls - calls / 20)
  const invokes = aws.requests.filter(({ action }) => action === 'lambda:Invoke')
  expect(invokes.every(({ headers }) => headers['x-amz-invocation-type'] === 'Event')).toBe(true)
  aws.clear()
  return futures
}
