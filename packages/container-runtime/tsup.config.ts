import { readFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

const common = {
  target: 'node20',
  platform: 'node',
  define: { __LITHOPS_VERSION__: JSON.stringify(version) },
} as const

export default defineConfig([
  {
    ...common,
    entry: { index: 'src/index.ts' },
    format: ['esm', 'cjs'],
    sourcemap: true,
    dts: !process.env.NODTS,
    shims: true,
  },
  // What containers run, in one file: it is copied into images as it is, or bundled with drivers. CommonJS starts sooner, and its parts,
  // those of Node too, are loaded when they are imported.
  {
    ...common,
    entry: { 'worker/entry': 'src/worker/entry.ts', 'worker/start': 'src/worker/start.ts' },
    format: ['cjs'],
    sourcemap: false,
    dts: false,
    splitting: false,
    minify: true,
    keepNames: true,
    noExternal: [/.*/],
  },
])
