import {
  containerTools,
  dockerRegistry,
  dockerRegistryWithPassword,
  findProgram,
  withRealPart,
} from '@lithops/fake-clouds/real-parts'
import { test } from 'vitest'
import { findImageTool, IMAGE_TOOLS, type ImageTool, type ImageToolName } from '../src/index.ts'

export const tools = withRealPart(containerTools)
export const registry = withRealPart(dockerRegistry)
export const guarded = withRealPart(dockerRegistryWithPassword)

/** Why images cannot be built and pushed here; undefined when they can. */
export function missingTools(): string | undefined {
  return containerTools.missing() ?? dockerRegistry.missing()
}

/** A test that needs all of the parts above. */
export function testTool(name: string, run: () => Promise<void>): void {
  test(name, { timeout: 120_000 }, async context => {
    const missing = missingTools()
    if (missing !== undefined) context.skip(missing)
    await run()
  })
}

/** Why a tool is not tried; undefined when it is. docker's daemon is podman's here, its command line its own. */
export function missingTool(name: ImageToolName): string | undefined {
  if (name !== 'docker' || findProgram('docker') !== undefined) return undefined
  return 'no command line of docker on this machine: podman and buildah are tried'
}

export const toolNames = IMAGE_TOOLS

/** A tool with images of this file's tests alone. */
export async function open(name: ImageToolName): Promise<ImageTool> {
  const { env, dockerEnv } = tools.part
  Object.assign(process.env, env, dockerEnv)
  return findImageTool({ tool: name })
}
