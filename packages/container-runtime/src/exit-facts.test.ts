import { expect, test } from 'vitest'
import { EXIT_FACTS, exitFactsOf, metadataOfExits } from './exit-facts.ts'

test('what a worker is comes back from the exit codes of its indices', () => {
  const metadata = {
    nodeVersion: 'v24.11.1',
    lithopsVersion: '0.12.3',
    protocolVersion: 1,
    platform: 'linux',
    arch: 'arm64',
  }
  const codes = exitFactsOf(metadata)
  expect(codes).toEqual([24, 11, 1, 0, 12, 3, 1, 1, 54])
  expect(codes).toHaveLength(EXIT_FACTS)
  expect(metadataOfExits(codes)).toEqual(metadata)
  expect(metadataOfExits(exitFactsOf({ ...metadata, arch: 's390x' }))?.arch).toBe('unknown')
})

test('exit codes of something else are not taken for a worker', () => {
  for (const code of [0, 1, 9, 127]) expect(metadataOfExits(Array(EXIT_FACTS).fill(code))).toBeUndefined()
  expect(metadataOfExits([24, 1])).toBeUndefined()
})
