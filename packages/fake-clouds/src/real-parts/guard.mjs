// Runs a command and ends it when this process's standard input ends: when whoever started it closes it, or dies. Then
// removes the folder. Tests that are killed leave no server behind.
//
//   node guard.mjs <log file> <folder to remove, or ''> <command> [arguments]

import { spawn } from 'node:child_process'
import { openSync, rmSync } from 'node:fs'

const KILL_AFTER_MS = 3_000

const [logFile, folder, command, ...args] = process.argv.slice(2)
const log = openSync(logFile, 'a')
const child = spawn(command, args, { stdio: ['ignore', log, log] })

child.on('error', error => {
  console.error(error.message)
  process.exit(127)
})
child.on('exit', code => {
  // its folder stays until the input ends: the log in it says why it went
  process.exitCode = code ?? 1
})

process.stdin.resume()
process.stdin.on('end', end).on('error', end)
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, end)

function end() {
  const finish = () => {
    if (folder !== '') rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    process.exit()
  }
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return finish()
  child.once('exit', finish)
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref()
}
