import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { index: 'src/index.ts', 'worker/index': 'src/worker/index.ts' },
  format: ['esm', 'cjs'],
  target: 'node20',
  platform: 'node',
  sourcemap: true,
  shims: true,
  dts: !process.env.NODTS,
})
