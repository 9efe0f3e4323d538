import { computeConformance } from '@lithops/core/testing'
import { describe, test } from 'vitest'
import { HttpPlatform } from './http-platform.ts'

const timing = { manyCalls: 60 }

describe('two processes', () =>
  computeConformance({ test, timing, createBackend: () => new HttpPlatform({ workerProcesses: 2 }) }))

describe('eight activations at once in one process', () =>
  computeConformance({ test, timing, createBackend: () => new HttpPlatform({ concurrency: 8 }) }))
