import { readFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

const entries = {
  index: 'src/index.ts',
  'lazy-imports': 'src/lazy-imports.ts',
  'driver/index': 'src/driver/index.ts',
  'worker/index': 'src/worker/index.ts',
  'worker/constants': 'src/worker/constants.ts',
  'testing/index': 'src/testing/index.ts',
}

const common = {
  target: 'node20',
  platform: 'node',
  sourcemap: true,
  define: { __LITHOPS_VERSION__: JSON.stringify(version) },
} as const

export default defineConfig([
  {
    ...common,
    entry: entries,
    format: ['esm', 'cjs'],
    dts: !process.env.NODTS,
    splitting: true,
    shims: true,
  },
  // What configs are read and checked with, of which programs without one need nothing.
  {
    ...common,
    entry: { 'config/libraries': 'src/config/libraries.ts' },
    format: ['cjs'],
    dts: false,
    sourcemap: false,
    minify: true,
    noExternal: [/.*/],
  },
  // Readers of formats: bundled into the functions that need them.
  {
    ...common,
    entry: { 'formats/csv': 'src/formats/csv.ts', 'formats/parquet': 'src/formats/parquet.ts' },
    format: ['esm'],
    dts: false,
    splitting: false,
  },
  // The worker process of the localhost backend is one file: every file less is a faster start.
  {
    ...common,
    entry: { 'localhost/slot-main': 'src/localhost/slot-main.ts' },
    format: ['cjs'],
    dts: false,
    minify: true,
    keepNames: true,
    noExternal: [/.*/],
  },
])
