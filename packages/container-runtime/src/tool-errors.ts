import { RuntimeBuildError } from '@lithops/core/driver'
import type { ProgramResult } from './run-program.ts'

const MESSAGE_LINES = 12

/** What tools and registries say, and what helps. The first that fits is told. */
const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /cannot connect to the docker daemon|error during connect/i,
    'Start Docker, or install podman or buildah, which need no daemon.',
  ],
  [
    /server gave HTTP response to HTTPS client/i,
    'The registry speaks plain HTTP: give it TLS, or name it among the insecure registries of the tool.',
  ],
  [/x509|certificate/i, 'The certificate of the registry is not trusted by this machine.'],
  [
    /unauthorized|authentication required|no basic auth credentials|access denied|requested access to the resource is denied|denied:|403 \(?forbidden/i,
    'Check the user, the password, and whether they may push and pull there.',
  ],
  [
    /no such host|connection refused|network is unreachable|i\/o timeout|TLS handshake timeout|server misbehaving/i,
    'The registry cannot be reached from this machine: check its name and the network.',
  ],
  [
    /manifest unknown|manifest for .* not found|name unknown|repository .* not found|image not known|no such image|short-name .* did not resolve/i,
    'There is no such image: check its name and tag, in the lines FROM as well.',
  ],
  [/no space left on device/i, 'The disk is full: remove images that are not needed.'],
  [
    /exec format error/i,
    'This machine cannot run programs of that architecture: install emulation (qemu-user-static), or build on such a machine.',
  ],
  [
    /toomanyrequests|too many requests|rate limit/i,
    'The registry wants a pause: log in, or try again later.',
  ],
]

/** Passing faults of the network and of registries; the same may succeed a moment later. */
const PASSING =
  /connection reset|unexpected EOF|i\/o timeout|TLS handshake timeout|\b50[0234] (?:Internal|Bad|Service|Gateway)|too ?many ?requests|temporary failure/i

/** A step of a tool that ended with an error: which, what it said last, and what to do. */
export function toolFailed(tool: string, step: string, result: ProgramResult): RuntimeBuildError {
  const { exitCode, tail } = result
  const lines = tail.split('\n').filter(line => line.trim() !== '')
  const said = lines.slice(-MESSAGE_LINES).join('\n')
  const advice = ADVICE.find(([pattern]) => pattern.test(tail))?.[1]
  const how = exitCode === undefined ? 'was ended by a signal' : `ended with code ${exitCode}`
  return new RuntimeBuildError(
    `${step} failed: ${tool} ${how}${said === '' ? '.' : `:\n${said}`}${advice === undefined ? '' : `\n${advice}`}`,
    { isRetryable: PASSING.test(tail), details: { tool, step, exitCode } },
  )
}

/** The program of a tool could not be started. */
export function toolMissing(tool: string, step: string, cause: unknown): RuntimeBuildError {
  return new RuntimeBuildError(
    `${step} failed: '${tool}' could not be started (${(cause as Error).message}).`,
    {
      details: { tool, step },
      cause,
    },
  )
}
