import { expect, test } from 'vitest'
import { EXIT_FACTS, exitFactsOf, functionFacts, functionsOfExits, metadataOfExits } from './exit-facts.ts'

const metadata = {
  nodeVersion: 'v24.11.1',
  lithopsVersion: '0.12.3',
  protocolVersion: 1,
  platform: 'linux',
  arch: 'arm64',
}

test('what a worker is comes back from the exit codes of its indices', () => {
  const codes = exitFactsOf(metadata)
  expect(codes).toEqual([24, 11, 1, 0, 12, 3, 1, 1, 0, 54])
  expect(codes).toHaveLength(EXIT_FACTS)
  expect(metadataOfExits(codes)).toEqual({ ...metadata, functionCount: 0 })
  expect(metadataOfExits(exitFactsOf({ ...metadata, arch: 's390x' }))?.arch).toBe('unknown')
})

test('so do the hashes of the functions that its image brings', () => {
  const functions = ['0123456789abcdef0123456789abcdef', '0'.repeat(32), 'f'.repeat(32)]
  const codes = exitFactsOf({ ...metadata, functions })
  expect(metadataOfExits(codes.slice(0, EXIT_FACTS))).toEqual({ ...metadata, functionCount: 3 })
  const indices = functionFacts(3)
  expect(indices[0]).toBe(EXIT_FACTS)
  expect(indices.at(-1)).toBe(codes.length - 1)
  const told = indices.map(index => codes[index] as number)
  // what shells and signals end with is never among them
  expect(Math.max(...told)).toBeLessThan(126)
  expect(functionsOfExits(told)).toEqual(functions)
  expect(functionFacts(0)).toEqual([])
})

test('exit codes of something else are not taken for a worker', () => {
  for (const code of [0, 1, 9, 127]) {
    expect(metadataOfExits(Array(EXIT_FACTS).fill(code))).toBeUndefined()
    expect(functionsOfExits(Array(functionFacts(2).length).fill(code))).toBeUndefined()
  }
  expect(metadataOfExits([24, 1])).toBeUndefined()
  expect(functionsOfExits([])).toBeUndefined()
  expect(functionsOfExits([1, 2])).toBeUndefined()
})
