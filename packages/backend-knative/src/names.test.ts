import { expect, test } from 'vitest'
import { serviceName, userKey } from './names.ts'
import { quotaIn } from './vendor-errors.ts'
import { podOfWorker, WorkerFinder } from './worker-finder.ts'

test('names are labels of DNS, short enough for what Knative adds, and tell users and contents apart', () => {
  const names = [
    serviceName(
      userKey('Alice Müller-Lüdenscheidt'),
      { name: 'icr.io/team/My_Runtime:1.2', memoryMiB: 512 },
      'a',
    ),
    serviceName(userKey('alice.m'), { name: 'default', memoryMiB: 512 }, 'a'),
    serviceName(userKey('alice-m'), { name: 'default', memoryMiB: 512 }, 'a'),
    serviceName(userKey('alice-m'), { name: 'default', memoryMiB: 512 }, 'b'),
    serviceName(userKey('...'), { name: '___', memoryMiB: 16_384 }, 'a'),
  ]
  for (const name of names) expect(name).toMatch(/^[a-z]([a-z0-9-]{0,48}[a-z0-9])$/)
  expect(new Set(names).size).toBe(names.length)
  expect(names[0]).toContain('-my-runti-')
})

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
