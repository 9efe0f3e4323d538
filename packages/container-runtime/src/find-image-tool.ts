import { basename } from 'node:path'
import { ConfigError, RuntimeBuildError } from '@lithops/core/driver'
import { ImageTool, type ImageToolName } from './image-tool.ts'
import { runProgram } from './run-program.ts'

/** Who is asked first. From: Lithops, which takes podman where there is no docker. */
export const IMAGE_TOOLS: readonly ImageToolName[] = ['docker', 'podman', 'buildah']

export interface FindImageToolOptions {
  /** The only tool to use: its name, or the path of its program. Default: the first of IMAGE_TOOLS that works. */
  readonly tool?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** How each tells its version, and that it works: docker is of no use without its daemon. */
const VERSION_OF: Readonly<Record<ImageToolName, readonly string[]>> = {
  docker: ['version', '--format', '{{.Server.Version}}'],
  podman: ['info', '--format', '{{.Version.Version}}'],
  buildah: ['--version'],
}

/**
 * Finds a tool that builds images on this machine.
 *
 * @throws RuntimeBuildError LITHOPS_RUNTIME_BUILD when none works, with the reason for each
 * @throws ConfigError LITHOPS_CONFIG for a tool that is none of IMAGE_TOOLS
 */
export async function findImageTool(options: FindImageToolOptions = {}): Promise<ImageTool> {
  const { tool, signal } = options
  const reasons: string[] = []
  for (const { name, program } of tool === undefined
    ? IMAGE_TOOLS.map(name => ({ name, program: name }))
    : [named(tool)]) {
    const found = await probe(name, program, signal)
    if (typeof found !== 'string') return found
    reasons.push(`${program}: ${found}`)
  }
  throw new RuntimeBuildError(
    `No tool that builds images works here. ${reasons.join('; ')}. Install docker, podman or buildah` +
      `${tool === undefined ? '' : ', or leave container_tool out of the config'}.`,
    { details: { reasons } },
  )
}

function named(tool: string): { readonly name: ImageToolName; readonly program: string } {
  const file = basename(tool).replace(/\.exe$/i, '')
  const name = IMAGE_TOOLS.find(one => file === one || file.startsWith(`${one}-`))
  if (name !== undefined) return { name, program: tool }
  throw new ConfigError(
    `container_tool is '${tool}': it must be docker, podman or buildah, or the path of a program of that name.`,
  )
}

/** The tool, or why it does not work. */
async function probe(
  name: ImageToolName,
  program: string,
  signal: AbortSignal | undefined,
): Promise<ImageTool | string> {
  try {
    const { exitCode, stdout, tail } = await runProgram(program, VERSION_OF[name], { signal })
    if (exitCode !== 0) return lastLine(tail) ?? `ended with code ${exitCode}`
    const version = /\d+\.\d+[\w.-]*/.exec(stdout)?.[0] ?? 'of an unknown version'
    return new ImageTool({ name, program, version, host: await hostOf(name, program, signal) })
  } catch (error) {
    signal?.throwIfAborted()
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'not installed' : (error as Error).message
  }
}

/** The daemon of docker's current context. */
async function hostOf(name: ImageToolName, program: string, signal: AbortSignal | undefined) {
  if (name !== 'docker' || process.env.DOCKER_HOST !== undefined) return undefined
  const args = ['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}']
  const { exitCode, stdout } = await runProgram(program, args, { signal })
  return exitCode === 0 && stdout.trim() !== '' ? stdout.trim() : undefined
}

function lastLine(text: string): string | undefined {
  return text.split('\n').findLast(line => line.trim() !== '')
}
