import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

// Programs of their own that are killed; nothing that they started may be left on the machine. They use the built
// package, as the worker does.
const library = pathToFileURL(join(import.meta.dirname, '..', '..', 'dist', 'index.js')).href
const scratch = mkdtempSync(join(tmpdir(), 'lithops-lost-client-'))
const started: ChildProcess[] = []
const seen = new Set<number>()

afterAll(() => {
  for (const child of started) child.kill('SIGKILL')
  for (const pid of seen) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  rmSync(scratch, { recursive: true, force: true })
})

/** Runs `body` in a program with an executor of two workers. Calls leave a file named after their process. */
function startClient(name: string, body: string, inOwnGroup = false): { child: ChildProcess; marks: string } {
  const marks = mkdtempSync(join(scratch, 'marks-'))
  const file = join(scratch, `${name}.mjs`)
  writeFileSync(
    file,
    `import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FunctionExecutor } from ${JSON.stringify(library)}
const marks = ${JSON.stringify(marks)}
const fexec = new FunctionExecutor({ backend: 'localhost', localhost: { worker_processes: 2 } })
${body}
`,
  )
  const child = spawn(process.execPath, [file], {
    cwd: scratch,
    detached: inOwnGroup,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  started.push(child)
  return { child, marks }
}

const markedPids = (marks: string) => readdirSync(marks).map(Number)

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Processes whose parent is this one: workers, and what watches them. */
function childrenOf(pid: number): number[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
    .filter(([child, parent]) => parent === pid && child !== undefined && isAlive(child))
    .map(([child]) => child as number)
}

async function until(what: string, isTrue: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`${what}: not so after ${timeoutMs} ms`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

describe.skipIf(process.platform === 'win32')('a client killed by SIGKILL', () => {
  const LOOPS = {
    // the first calls of the workers: nothing has been idle yet
    'in their first call': `fexec.map(() => {
      writeFileSync(join(marks, String(process.pid)), '')
      for (;;);
    }, [1, 2])`,
    'in a later call': `await fexec.getResult(fexec.map(x => x, [1, 2, 3, 4]))
    fexec.map(() => {
      writeFileSync(join(marks, String(process.pid)), '')
      for (;;);
    }, [1, 2])`,
    // what sees the end of the pipe is the event loop, which this one keeps
    'in endless microtasks': `fexec.map(async () => {
      writeFileSync(join(marks, String(process.pid)), '')
      for (;;) await undefined
    }, [1, 2])`,
    'each in a process of its own': `await fexec.close()
    const fresh = new FunctionExecutor({ backend: 'localhost', localhost: { worker_processes: 2, isolation: 'call' } })
    await fresh.getResult(fresh.map(x => x, [1, 2, 3]))
    fresh.map(() => {
      writeFileSync(join(marks, String(process.pid)), '')
      for (;;);
    }, [1, 2])`,
  }
  test.each(Object.entries(LOOPS))('takes with it workers in an endless loop, %s', async (name, body) => {
    const { child, marks } = startClient(name.replaceAll(' ', '-'), body)
    await until('both calls run', () => markedPids(marks).length === 2)
    const left = new Set([...markedPids(marks), ...childrenOf(child.pid as number)])
    for (const pid of left) seen.add(pid)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await until('nothing is left', () => [...left].every(pid => !isAlive(pid)), 5000)
  })
})

describe.skipIf(process.platform === 'win32')('the folder of a client for large captured values', () => {
  const CLIENT = `const large = new Float64Array(100_000)
await fexec.callAsync(i => large[i], 1)
writeFileSync(join(marks, '0'), '')`
  // lithops-<executor>-<pid>; a worker of a cloud that had this process id before may have left its lithops-<pid>
  const foldersOf = ({ pid }: ChildProcess) =>
    readdirSync(tmpdir()).filter(
      name => name.startsWith('lithops-') && name.endsWith(`-${pid}`) && name !== `lithops-${pid}`,
    )

  test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('is removed after %s', async signal => {
    const { child, marks } = startClient('folder', `${CLIENT}\nsetInterval(() => {}, 1000)`)
    await until('the value was sent', () => markedPids(marks).length === 1)
    expect(foldersOf(child)).toHaveLength(1)
    child.kill(signal)
    await once(child, 'exit')
    await until('the folder is gone', () => foldersOf(child).length === 0, 5000)
  })

  test('is removed after a program that never closes its executor', async () => {
    const { child } = startClient('folder-open', CLIENT)
    await once(child, 'exit')
    await until('the folder is gone', () => foldersOf(child).length === 0, 5000)
  })
})

describe.skipIf(process.platform === 'win32')('Ctrl-C', () => {
  test('leaves the workers of a program that handles it alone', async () => {
    const { child, marks } = startClient(
      'interrupted',
      `process.on('SIGINT', () => {})
const value = fexec.callAsync(dir => {
  writeFileSync(join(dir, String(process.pid)), '')
  return new Promise(resolve => setTimeout(resolve, 1000, 5))
}, marks, { retries: { infrastructure: 0 } })
process.exitCode = (await value) === 5 ? 42 : 1
await fexec.close()`,
      true,
    )
    await until('the call runs', () => markedPids(marks).length === 1)
    process.kill(-(child.pid as number), 'SIGINT')
    const [code] = await once(child, 'exit')
    expect(code).toBe(42)
  })
})

describe.skipIf(process.platform === 'win32')('what watches the workers', () => {
  test('ends with the executor', async () => {
    const { child, marks } = startClient(
      'closing',
      `await fexec.getResult(fexec.map(x => x, [1, 2]))
await fexec.close()
writeFileSync(join(marks, '0'), '')
setInterval(() => {}, 1000)`,
    )
    await until('the executor is closed', () => markedPids(marks).length === 1)
    await until('no process is left', () => childrenOf(child.pid as number).length === 0, 5000)
  })

  test('does not keep a program that never closes its executor', async () => {
    const { child } = startClient('open', 'await fexec.getResult(fexec.map(x => x, [1, 2]))')
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
  })
})
