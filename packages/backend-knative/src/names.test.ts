import { WorkerFinder } from '@lithops/container-runtime'
import { expect, test } from 'vitest'
import { podOfWorker } from './names.ts'
import { quotaIn } from './vendor-errors.ts'

test('a quota is read from what Kubernetes says, whatever follows', () => {
  const said =
    'pods "x" is forbidden: exceeded quota: team-quota, requested: requests.cpu=1,requests.memory=1Gi, used: requests.cpu=4,requests.memory=4Gi, limited: requests.cpu=4,requests.memory=4Gi.'
  expect(quotaIn(said)).toEqual({
    quota: 'team-quota',
    requested: 'requests.cpu=1,requests.memory=1Gi',
    limited: 'requests.cpu=4,requests.memory=4Gi',
  })
  expect(quotaIn('forbidden')).toBeUndefined()
})

test('the pod of an activation is found in its frames', () => {
  const frame = (type: number, payload: string) => {
    const head = Buffer.alloc(5)
    head[0] = type
    head.writeUInt32LE(Buffer.byteLength(payload), 1)
    return Buffer.concat([head, Buffer.from(payload)])
  }
  const finder = new WorkerFinder()
  finder.look(frame(3, 'a line'))
  expect(finder.workerId).toBeUndefined()
  finder.look(
    Buffer.concat([frame(1, 'begun'), frame(5, '{"workerId":"words-00001-deployment-7d9f-abcde-a1b2c3"}')]),
  )
  expect(podOfWorker(finder.workerId)).toBe('words-00001-deployment-7d9f-abcde')
})
