import { readFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

const common = {
  target: 'node20',
  platform: 'node',
  sourcemap: true,
  define: { __LITHOPS_VERSION__: JSON.stringify(version) },
} as const

const worker = {
  sourcemap: false,
  dts: false,
  splitting: false,
  minify: true,
  keepNames: true,
  noExternal: [/.*/],
}

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
    ...worker,
    entry: { 'worker/entry': 'src/worker/entry.ts', 'worker/handler': 'src/worker/handler.ts' },
    format: ['esm'],
  },
  // The worker of container images, which is a CommonJS file.
  {
    ...common,
    ...worker,
    entry: { 'worker/runtime-loop': 'src/worker/runtime-loop.ts' },
    format: ['cjs'],
  },
])
