import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { watchOthers } from './machine.mjs'
import { findNode } from './nodes.mjs'
import { peerFile } from './peers.mjs'

const LIMIT_MS = 300_000
const child = fileURLToPath(new URL('./child.mjs', import.meta.url))

/** Starts a program in its own process group and resolves at its exit with its wall time. */
function runProgram([command, ...args], env) {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const program = spawn(command, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    let wall = 0
    let timedOut = false
    program.stdout.on('data', data => {
      stdout += data
    })
    program.stderr.on('data', data => {
      stderr += data
    })
    const timer = setTimeout(() => {
      timedOut = true
      process.kill(-program.pid, 'SIGKILL')
    }, LIMIT_MS)
    program.on('error', reject)
    program.on('exit', () => {
      wall = performance.now() - start
      clearTimeout(timer)
    })
    program.on('close', code => {
      if (timedOut) reject(new Error(`not done after ${LIMIT_MS / 1e3} s`))
      else if (code !== 0) reject(new Error(`exit code ${code}: ${stderr.trim().slice(-2000)}`))
      else resolve({ wall, stdout: stdout.trim() })
    })
  })
}

/** Lithops starts its workers as `python` through PATH and keeps its files below HOME and TMPDIR. */
function pythonEnv(python, scratch) {
  return {
    ...process.env,
    PATH: `${dirname(python)}${delimiter}${process.env.PATH}`,
    HOME: scratch,
    TMPDIR: scratch,
    USER: process.env.USER ?? 'bench',
    PYTHONDONTWRITEBYTECODE: '1',
  }
}

/** What a contender needs around it, a server for instance, is started before and closed after it. */
async function runOnce(caseName, contender, options) {
  const around = await contender.around?.()
  try {
    return await runWithin(around?.env ?? {}, caseName, contender, options)
  } finally {
    await around?.close()
  }
}

async function runWithin(own, caseName, contender, { node, python, scratch, samples }) {
  const env = { ...(contender.python ? pythonEnv(python, scratch) : process.env), ...own }
  if (contender.command) {
    await contender.ready?.()
    const { wall, stdout } = await runProgram(contender.command({ node, python }), env)
    const last = stdout.split('\n').at(-1)
    if (contender.stdout && last !== contender.stdout)
      throw new Error(`wrong output: ${stdout.slice(0, 200)}`)
    return { samples: [{ wall }] }
  }
  const output = join(scratch, 'output.json')
  rmSync(output, { force: true })
  const command = contender.python
    ? [python, peerFile('lithops_peer.py'), caseName, String(samples), output]
    : [node, child, caseName, contender.name, JSON.stringify({ samples }), output]
  await runProgram(command, env)
  return JSON.parse(readFileSync(output, 'utf8'))
}

/** The cleaner that Lithops leaves behind may still be busy in the folder for some seconds. */
async function removeScratch(scratch) {
  await rm(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 }).catch(error =>
    console.warn(`${scratch} stays: ${error.message}`),
  )
}

/** Runs the rounds of one case on one Node: in each round every contender once, in a fresh process. */
async function runVariant(caseName, benchCase, { mode, node, nodeLabel, python, onProgress }) {
  const scratch = mkdtempSync(join(tmpdir(), 'bench-'))
  const rows = benchCase.contenders.map(contender => ({ contender, rounds: [], status: 'ok' }))
  const quiet = []
  const warmups = benchCase.warmupRounds ?? 0
  const rounds = benchCase.rounds[mode]
  for (let round = -warmups; round < rounds; round++) {
    quiet.push(await watchOthers())
    for (const row of rows) {
      const { contender } = row
      if (row.status !== 'ok' || round >= (contender.rounds?.[mode] ?? rounds)) continue
      if (contender.python && !python.binary) {
        row.status = `skipped: ${python.reason}`
        continue
      }
      onProgress(`${caseName} (${nodeLabel}) ${contender.name}, round ${Math.max(0, round + 1)}/${rounds}`)
      try {
        const samples = (contender.samples ?? benchCase.samples)?.[mode] ?? 1
        const answer = await runOnce(caseName, contender, { node, python: python.binary, scratch, samples })
        if (answer.missing) row.status = answer.missing
        else if (answer.error) row.status = `failed: ${answer.error}`
        else if (round >= 0) row.rounds.push(answer.samples)
      } catch (error) {
        row.status = error.name === 'NotBuiltError' ? error.message : `failed: ${error.message}`
      }
    }
  }
  await removeScratch(scratch)
  return {
    case: caseName,
    title: (mode === 'quick' && benchCase.quickTitle) || benchCase.title,
    node: nodeLabel,
    metrics: benchCase.metrics,
    quiet,
    rows: rows.map(({ contender, rounds, status }) => ({
      name: contender.name,
      kind: contender.kind,
      note: contender.note,
      status,
      rounds,
    })),
  }
}

/** A case runs on this Node, and where it asks for another one also there; a Node that is missing is reported. */
export async function runCase(caseName, options) {
  const { benchCase } = await import(`../cases/${caseName}.mjs`)
  const results = []
  const seen = new Set()
  for (const wanted of benchCase.nodes ?? ['current']) {
    const found =
      wanted === 'current' ? { binary: process.execPath, version: process.version } : findNode(wanted)
    if (!found) {
      results.push({
        case: caseName,
        title: benchCase.title,
        node: `v${wanted}`,
        skipped: `no Node ${wanted} in LITHOPS_TEST_NODES or .cache/nodes`,
      })
    } else if (!seen.has(found.version)) {
      seen.add(found.version)
      results.push(
        await runVariant(caseName, benchCase, { ...options, node: found.binary, nodeLabel: found.version }),
      )
    }
  }
  return results
}
