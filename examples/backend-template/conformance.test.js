// @ts-check
import test from 'node:test'
import { computeConformance } from '@lithops/core/testing'
import { TinyBackend } from './index.js'

computeConformance({
  test,
  createBackend: () => new TinyBackend({ workers: 4 }),
  // Each activation starts a process.
  timing: { manyCalls: 60 },
})
