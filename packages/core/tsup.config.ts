import { readFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'driver/index': 'src/driver/index.ts',
    'worker/index': 'src/worker/index.ts',
    'testing/index': 'src/testing/index.ts',
    'localhost/slot-main': 'src/localhost/slot-main.ts',
  },
  format: ['esm', 'cjs'],
  target: 'node20',
  platform: 'node',
  dts: {
    entry: {
      index: 'src/index.ts',
      'driver/index': 'src/driver/index.ts',
      'worker/index': 'src/worker/index.ts',
      'testing/index': 'src/testing/index.ts',
    },
  },
  splitting: true,
  shims: true,
  sourcemap: true,
  clean: true,
  define: { __LITHOPS_VERSION__: JSON.stringify(version) },
})
