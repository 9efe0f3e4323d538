import { defineConfig } from 'vitest/config'

export default defineConfig({
  define: { __LITHOPS_VERSION__: JSON.stringify('0.0.0-test') },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
    // the kits have calls that write as much as a log takes: some megabytes of one letter
    onConsoleLog: text => (text.length > 10_000 ? false : undefined),
    typecheck: { enabled: false },
  },
})
