import type { DriverLog } from '@lithops/core/driver'
import { parseImageReference } from './image-reference.ts'
import { isPublicByDefault } from './registries.ts'

/** From how many on it is likely that a program makes functions whose code is new each time. */
const MANY_BUILDS = 3

/** Of this program, whichever backends and executors it has. */
const warnedServers = new Set<string>()
let builds = 0

/**
 * Warns that code of the user's goes where everybody sees it: once in a program for each registry.
 *
 * @param image that is about to be pushed
 * @param isPrivate the config says that nobody else may pull it
 */
export function warnOfPublicCode(
  image: string,
  { isPrivate, log }: { readonly isPrivate: boolean; readonly log: DriverLog },
): void {
  const { server } = parseImageReference(image)
  if (isPrivate || warnedServers.has(server) || !isPublicByDefault(server)) return
  warnedServers.add(server)
  log.warn(
    `the code of your functions goes into ${image}, which everybody may pull unless you have made its repository on ${server} private: ` +
      '`private_registry: true` in the section of the backend says that you have',
  )
}

/**
 * Counts what this program builds for functions of its jobs, and warns once when that is more than a program should: a function
 * whose code changes from map to map is built, and kept by the platform, each time.
 */
export function noteFunctionBuild({ log }: { readonly log: DriverLog }): void {
  builds++
  if (builds !== MANY_BUILDS) return
  log.warn(
    `${builds} runtimes were built in this program, one for each function that differs in its code: all of them stay until \`lithops clean\`. ` +
      'What changes from map to map belongs into items, extra arguments or captured values, not into code; functions that are ' +
      'made anew each time are better sent with their jobs, without customized_runtime',
  )
}
