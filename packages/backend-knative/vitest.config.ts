import { defineConfig } from 'vitest/config'

export default defineConfig({
  // most of their time is waiting, for workers that start: two files at once
  test: {
    maxWorkers: 2,
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 60_000,
  },
})
