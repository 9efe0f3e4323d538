import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

/** Of the stub, as a warm function with little to do. */
const DELAY_MS = 50
const STUB = fileURLToPath(
  new URL('../../packages/fake-clouds/src/aws/invoke-stub-main.mjs', import.meta.url),
)
const CONTENDER = fileURLToPath(new URL('./invoke-contender.mjs', import.meta.url))
/** Jobs in one process: the first opens the connections. */
const JOBS = 3

/** Runs one contender against a stub of its own. */
async function measure(kind, { calls, sockets }) {
  const reply = new URL('./invoke-reply.mjs', import.meta.url).href
  const stub = spawn(process.execPath, [STUB, JSON.stringify({ delayMs: DELAY_MS, reply })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const folder = mkdtempSync(join(tmpdir(), 'bench-invoke-'))
  try {
    const [line] = await once(createInterface({ input: stub.stdout }), 'line')
    const { https, certificate } = JSON.parse(line)
    writeFileSync(join(folder, 'cert.pem'), certificate)
    const child = spawn(process.execPath, [CONTENDER, kind, calls, sockets, JOBS].map(String), {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        AWS_ENDPOINT_URL_LAMBDA: `https://127.0.0.1:${https}`,
        NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem'),
        LITHOPS_CACHE_DIR: join(folder, 'cache'),
      },
    })
    const output = text(child.stdout)
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`${kind} ended with ${code}`)
    const [first, ...later] = JSON.parse(await output)
    return later.map(({ wall, cpu }) => ({ first: first.wall, wall, rate: (calls / wall) * 1000, cpu }))
  } finally {
    stub.stdin.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The cases of one number of connections. */
export function lambdaInvokeCase(sockets, targets) {
  const contender = (name, kind, calls) => ({
    name,
    kind: kind === 'ours' ? 'ours' : 'peer',
    run: () => measure(kind, { calls, sockets }),
  })
  return {
    title: `Invocations of AWS Lambda over TLS, a stub that answers after ${DELAY_MS} ms, ${sockets} connections at the most`,
    rounds: { full: 3, quick: 1 },
    samples: { full: 1, quick: 1 },
    metrics: [
      { name: 'wall', label: 'all calls', unit: 'ms', better: 'lower', ...targets },
      { name: 'first', label: 'the first time', unit: 'ms', better: 'lower' },
      { name: 'rate', label: 'calls per second', unit: '', better: 'higher' },
      { name: 'cpu', label: 'processor per call', unit: 'ms', better: 'lower', target: { max: 0.2 } },
    ],
    contenders: [
      contender('ours, a map of 10,000', 'ours', 10_000),
      contender('undici alone, 10,000', 'undici', 10_000),
      contender('AWS SDK v3, 10,000', 'sdk', 10_000),
      contender('ours, a map of 1,000', 'ours', 1_000),
      contender('undici alone, 1,000', 'undici', 1_000),
    ],
  }
}
