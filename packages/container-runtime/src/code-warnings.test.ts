import { expect, test } from 'vitest'
import { noteFunctionBuild, warnOfPublicCode } from './code-warnings.ts'

function listen() {
  const told: string[] = []
  return { told, log: { debug() {}, info() {}, warn: (line: string) => void told.push(line) } }
}

test('code that goes into a public registry is warned of once for each of them', () => {
  const { told, log } = listen()
  for (const image of [
    'docker.io/team/one:1',
    'docker.io/team/two:1',
    'quay.io/team/one:1',
    'localhost:5000/team/one:1',
    'ghcr.io/team/one:1',
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com/one:1',
    'registry.example.com/one:1',
    'public.ecr.aws/alias/one:1',
  ])
    warnOfPublicCode(image, { isPrivate: false, log })
  expect(told).toHaveLength(3)
  expect(told[0]).toMatch(/docker\.io\/team\/one:1, which everybody may pull.*private_registry: true/)
  expect(told[1]).toContain('quay.io/team/one')
  expect(told[2]).toContain('public.ecr.aws')
})

test('and not at all where the config says that it is private', () => {
  const { told, log } = listen()
  warnOfPublicCode('ttl.sh/one:1', { isPrivate: true, log })
  expect(told).toEqual([])
  warnOfPublicCode('ttl.sh/one:1', { isPrivate: false, log })
  expect(told).toHaveLength(1)
})

test('the third runtime that is built for a function is one too many, which is said once', () => {
  const { told, log } = listen()
  for (let i = 0; i < 5; i++) noteFunctionBuild({ log })
  expect(told).toEqual([expect.stringMatching(/^3 runtimes were built in this program/)])
})
