import { describe, test, vi } from 'vitest'
import { LocalhostBackend } from '../localhost/localhost-backend.ts'
import { computeConformance } from './compute-conformance.ts'
import { MemoryCompute } from './memory-compute.ts'

vi.mock('../executor/open-executor.ts', () => import('./open-executor.fixture.ts'))

describe('memory', () => {
  computeConformance({ test, createBackend: () => new MemoryCompute() })
})

describe('localhost', () => {
  computeConformance({ test, createBackend: () => new LocalhostBackend({ workers: 2 }) })
})
