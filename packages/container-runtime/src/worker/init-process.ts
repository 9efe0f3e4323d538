import { existsSync } from 'node:fs'
import { isFirstProcess } from './as-child.ts'

const SHELL = '/bin/sh'

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
 * started any more. Node waits for children of its own alone. Where this is the first process, a shell takes its place here, with
 * the worker as its child. Nothing happens where the platform has put an init before the worker, where the image has
 * no shell, and on a Node that cannot replace itself.
 *
 * @param file of the worker, which is started anew
 */
export function leaveFirstProcess(file: string): void {
  const { execve } = process as { readonly execve?: Execve }
  if (!isFirstProcess() || execve === undefined || !existsSync(SHELL)) return
  execve.call(process, SHELL, ['sh', '-c', INIT, process.execPath, ...process.execArgv, file], process.env)
}
