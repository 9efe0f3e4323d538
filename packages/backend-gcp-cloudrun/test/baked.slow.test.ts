import { computeConformance } from '@lithops/core/testing'
import { test } from 'vitest'
import { platform } from './platform.ts'

// The kit with functions that are in the images: an image is made for each of them.

const there = platform()

computeConformance({
  test: (name, run) => (/whose code no activation carries/.test(name) ? test(name, run) : undefined),
  createBackend: () => there.open({ max_workers: 2, runtime_include_function: true }),
  timing: { callMs: 40_000 },
})
