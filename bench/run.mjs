import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeMachine, watchOthers } from './lib/machine.mjs'
import { prepare } from './lib/prepare.mjs'
import { evaluate, toMarkdown, toTerminal } from './lib/report.mjs'
import { runCase } from './lib/run-case.mjs'

const CASES = [
  'floors',
  'whole-process',
  'one-call',
  'noop-map',
  'cpu-bound',
  'results-1mb',
  'capture-known',
  'capture-fresh',
  'async-source',
  'storage-monitor',
  'word-count',
  'partition-keys',
  's3-objects',
  'lambda-invoke-256',
  'lambda-invoke-1000',
  'lambda-cold-start',
  'container-start',
  'container-waits',
  'extended-runtime',
  'extend-unchanged',
  'ways-home',
]

function findLithops() {
  const binary = process.env.LITHOPS_PYTHON
  if (!binary) return { reason: 'LITHOPS_PYTHON is not set' }
  try {
    const version = execFileSync(binary, ['-c', 'import lithops; print(lithops.__version__)'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return { binary, version: version.trim() }
  } catch {
    return { reason: 'the interpreter in LITHOPS_PYTHON cannot import lithops' }
  }
}

const { values: options } = parseArgs({
  // pnpm hands the `--` of `pnpm bench -- --quick` on.
  args: process.argv.slice(2).filter(argument => argument !== '--'),
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    json: { type: 'string' },
    'no-build': { type: 'boolean', default: false },
  },
})

const names = options.only?.flatMap(value => value.split(',')) ?? CASES
const unknown = names.filter(name => !CASES.includes(name))
if (unknown.length > 0) {
  console.error(`No case ${unknown.join(', ')}. Cases: ${CASES.join(', ')}`)
  process.exit(2)
}

await prepare({ buildCore: !options['no-build'] })
const python = findLithops()
const machine = describeMachine()
const date = new Date().toISOString()
const mode = options.quick ? 'quick' : 'full'

const start = await watchOthers()
if (!start.quiet) {
  console.error(
    `Warning: the machine is not quiet: others use ${Math.round(start.busy * 100)} % of its cores, load average ${start.loadavg.join(' ')}.`,
  )
}

const folder = new URL('./results/', import.meta.url)
mkdirSync(folder, { recursive: true })
const file = `${date.slice(0, 19).replaceAll(':', '')}-node-${process.version}`
const results = []
const run = {
  date,
  mode,
  machine,
  lithops: python.version ?? `skipped: ${python.reason}`,
  results,
}

/** After every case, so that a run that is broken off leaves what it has measured. */
function write() {
  const json = `${JSON.stringify(run, null, 2)}\n`
  writeFileSync(new URL(`${file}.md`, folder), toMarkdown(run))
  writeFileSync(new URL(`${file}.json`, folder), json)
  if (options.json) writeFileSync(options.json, json)
}

for (const name of names) {
  const found = await runCase(name, { mode, python, onProgress: line => console.error(line) })
  results.push(...found.map(evaluate))
  write()
}
console.log(toTerminal(run))
console.error(`Written to bench/results/${file}.md and .json`)
if (results.some(result => result.metrics?.some(({ verdict }) => verdict?.pass === false)))
  process.exitCode = 1
