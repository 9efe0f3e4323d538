import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
export const cores = availableParallelism()
export const peerFile = name => fileURLToPath(new URL(`../peers/${name}`, import.meta.url))

/** Each peer is opened as `{ run(name, argument), close() }`, with one worker per core unless its name says else. */
export async function openPiscina(tasksPerWorker = 1) {
  const { Piscina } = await import('piscina')
  const pool = new Piscina({
    filename: peerFile('functions.mjs'),
    minThreads: cores,
    maxThreads: cores,
    concurrentTasksPerWorker: tasksPerWorker,
  })
  return { run: (name, argument) => pool.run(argument, { name }), close: () => pool.destroy() }
}

export async function openTinypool(runtime = 'child_process') {
  const { Tinypool } = await import('tinypool')
  const pool = new Tinypool({
    filename: peerFile('functions.mjs'),
    runtime,
    minThreads: cores,
    maxThreads: cores,
  })
  return { run: (name, argument) => pool.run(argument, { name }), close: () => pool.destroy() }
}

export async function openFaast(options = {}) {
  process.env.FAAST_SILENT = '1'
  const { faastLocal } = require('faastjs')
  const faast = await faastLocal(require('../peers/functions.cjs'), { gc: 'off', ...options })
  return { run: (name, argument) => faast.functions[name](argument), close: () => faast.cleanup() }
}

/** The pools that most cases are measured against; a case adds what is its own. */
export const pools = [
  { name: 'piscina, threads', open: () => openPiscina() },
  { name: 'piscina, threads, 64 per thread', open: () => openPiscina(64) },
  { name: 'tinypool, child processes', open: () => openTinypool() },
  { name: 'faast.js, 10 child processes (default)', open: () => openFaast() },
  { name: 'faast.js, in-process', open: () => openFaast({ childProcess: false }) },
]

/** Turns the pools into contenders: `work(pool)` is what a sample times, after `warm(pool)`. */
export function poolContenders(names, warm, measure) {
  return pools
    .filter(pool => names.some(name => pool.name.startsWith(name)))
    .map(({ name, open }) => ({
      name,
      kind: 'peer',
      async run(options) {
        const pool = await open()
        await warm(pool)
        const samples = await measure(pool, options)
        await pool.close()
        return samples
      },
    }))
}
