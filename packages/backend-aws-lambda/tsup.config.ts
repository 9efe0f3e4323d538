import { readFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

const common = {
  target: 'node20',
  platform: 'node',
  sourcemap: true,
  define: { __LITHOPS_VERSION__: JSON.stringify(version) },
} as const

export default defineConfig([
  {
    ...common,
    entry: { index: 'src/index.ts' },
    format: ['esm', 'cjs'],
    dts: !process.env.NODTS,
    shims: true,
  },
  // What Lambda runs, in one file: it is zipped as it is, or bundled with drivers of storages.
  {
    ...common,
    sourcemap: false,
    entry: {
      'worker/entry': 'src/worker/entry.ts',
      'worker/handler': 'src/worker/handler.ts',
      'worker/runtime-loop': 'src/worker/runtime-loop.ts',
    },
    format: ['esm'],
    dts: false,
    splitting: false,
    minify: true,
    keepNames: true,
    noExternal: [/.*/],
  },
])
