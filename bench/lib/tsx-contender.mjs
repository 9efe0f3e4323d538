import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/cli.mjs', import.meta.url))

/** Runs a contender that uses parts which are TypeScript, in a process and with a cache of its own; it prints its rows as JSON. */
export async function measureWithTsx(file, kind, samples) {
  const contender = fileURLToPath(new URL(file, import.meta.url))
  const folder = mkdtempSync(join(tmpdir(), 'bench-contender-'))
  try {
    const child = spawn(process.execPath, [TSX, contender, kind, String(samples)], {
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
