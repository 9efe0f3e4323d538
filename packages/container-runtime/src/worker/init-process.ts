import { existsSync, readFileSync } from 'node:fs'
import { isFirstProcess } from './as-child.ts'

const SHELL = '/bin/sh'
/** So many of them are no accident, and far below what containers may have of processes. */
const MOST_ZOMBIES = 64

/**
 * What the first process of a container has to do for the others, in a shell: it waits for whichever ends, passes signals on to the
 * worker, and ends as the worker does. A `wait` that a signal has interrupted ends before its child. A child that the shell has
 * noticed meanwhile is asked for once more; 127 says that it was told already.
 */
const INIT = `trap 'kill -TERM $worker' TERM
trap 'kill -INT $worker' INT
"$0" "$@" &
worker=$!
while :; do
  wait $worker
  code=$?
  kill -0 $worker 2>/dev/null && continue
  wait $worker 2>/dev/null
  last=$?
  [ $last -eq 127 ] || code=$last
  exit $code
done`

/** Of Node 22.15 and newer: the program is another from then on, with the same id. */
type Execve = (file: string, args: readonly string[], env: NodeJS.ProcessEnv) => never

/**
 * Processes whose parent has ended (a daemon that a function starts, what a function was running when its process was killed) become
 * children of the container's first process, which has to wait for them when they end, or they stay as zombies until no process can be
 * started any more. Node waits for children of its own alone. Where this is the first process, and there are many, a shell takes its
 * place, with the worker as its child, for the rest of the container's life. Not from the beginning: the second start of Node would be
 * part of every cold start. Nothing happens where the platform has put an init before the worker, where the image has no shell, and
 * on a Node that cannot replace itself.
 *
 * @param file of the worker, which is started anew: nothing may be under way
 * @param environment that it was started with
 */
export function leaveFirstProcess(file: string, environment: NodeJS.ProcessEnv): void {
  const { execve } = process as { readonly execve?: Execve }
  if (!isFirstProcess() || execve === undefined || !hasManyZombies() || !existsSync(SHELL)) return
  process.stdout.write('lithops worker: a shell takes its place, to wait for processes that functions left\n')
  execve.call(process, SHELL, ['sh', '-c', INIT, process.execPath, ...process.execArgv, file], environment)
}

function hasManyZombies(): boolean {
  const children = textOf(`/proc/self/task/${process.pid}/children`).split(' ').filter(Boolean)
  if (children.length < MOST_ZOMBIES) return false
  const isZombie = (child: string) => /\) Z /.test(textOf(`/proc/${child}/stat`))
  return children.filter(isZombie).length >= MOST_ZOMBIES
}

/** Empty where there is none: another system, or a process that has gone. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
