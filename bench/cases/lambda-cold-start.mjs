import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/cli.mjs', import.meta.url))
const CONTENDER = fileURLToPath(new URL('../lib/cold-start-contender.mjs', import.meta.url))

async function measure(kind, samples) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-cold-start-'))
  try {
    const child = spawn(process.execPath, [TSX, CONTENDER, kind, String(samples)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, LITHOPS_CACHE_DIR: folder },
    })
    const output = text(child.stdout)
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`${kind} ended with ${code}`)
    return JSON.parse(await output)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const contender = (name, kind) => ({
  name,
  kind: kind === 'ours' ? 'ours' : 'peer',
  run: ({ samples }) => measure(kind, samples),
})

export const benchCase = {
  title:
    'Cold start on AWS Lambda, under its runtime interface client: from the start of the process to the first line of user code. ' +
    'The aim is 60 ms more than a bare handler at the most',
  rounds: { full: 3, quick: 1 },
  samples: { full: 20, quick: 10 },
  metrics: [
    { name: 'start', label: 'until user code', unit: 'ms', better: 'lower' },
    { name: 'zipKib', label: 'zip', unit: 'KiB', better: 'lower', target: { max: 300 } },
  ],
  contenders: [contender('ours, a call', 'ours'), contender('a bare handler', 'bare')],
}
