import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  computeConformance,
  MemoryCompute,
  MemoryMonitor,
  MemoryStorage,
  monitorConformance,
  openMemoryPublisher,
  storageConformance,
} from '../../src/testing/index.ts'
import { casesOf } from './harness.ts'

/** The tests of this folder, the one beside the kits, and those of real workers name the case that each mistake must fail. */
const sources = [
  'compute-mistakes.test.ts',
  'storage-mistakes.test.ts',
  'monitor-mistakes.test.ts',
  '../../src/testing/kits-catch.test.ts',
  '../../../container-runtime/test/sharing-mistakes.test.ts',
]
const named = new Set(
  sources
    .map(name => readFileSync(new URL(name, import.meta.url), 'utf8'))
    .flatMap(text => [...text.matchAll(/fails:\s*(?:'([^'\n]*)'|"([^"\n]*)")/g)])
    .map(([, single, double]) => single ?? double),
)

test.each([
  ['compute', casesOf(test => computeConformance({ test, createBackend: () => new MemoryCompute() }))],
  ['storage', casesOf(test => storageConformance({ test, createBackend: () => new MemoryStorage() }))],
  [
    'monitor',
    casesOf(test =>
      monitorConformance({
        test,
        createMonitor: () => ({ monitor: new MemoryMonitor(), openPublisher: openMemoryPublisher }),
      }),
    ),
  ],
])('there is a mistake that fails each case of the %s kit', (kit, cases) => {
  const missing = [...cases.keys()].filter(name => !named.has(name.slice(kit.length + 2)))
  expect(missing).toEqual([])
  expect(cases.size).toBeGreaterThan(10)
})
