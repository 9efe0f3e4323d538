import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { workerProgram } from './image-folders.ts'
import { memoryKills } from './memory-kills.ts'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const
/** Of shells: a process that a signal has ended. */
const SIGNAL_BASE = 128
/** As of a process that Node ends for want of heap: what is killed for memory here is the child, which the platform does not see. */
const EXIT_OUT_OF_MEMORY = SIGNAL_BASE + constants.signals.SIGABRT

/**
 * Whether this process is the first of its container, which the kernel lets no signal of its own end: a function that is over its
 * timeout would never stop.
 */
export function isFirstProcess(): boolean {
  return process.pid === 1
}

/** Runs the worker once more as a child, and ends as that ends: with its exit code, or 128 and its signal. */
export function runAsChild(args: readonly string[]): Promise<never> {
  return new Promise((_resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, workerProgram(), ...args], {
      stdio: 'inherit',
    })
    for (const signal of SIGNALS) process.on(signal, () => child.kill(signal))
    child.once('error', reject)
    const killsBefore = memoryKills() ?? 0
    child.once('exit', (code, signal) => {
      if (signal === 'SIGKILL' && (memoryKills() ?? 0) > killsBefore) process.exit(EXIT_OUT_OF_MEMORY)
      process.exit(code ?? SIGNAL_BASE + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}
