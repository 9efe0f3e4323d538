import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Thrown where a part of this project does not exist yet; the row then says so and the run goes on. */
export class NotBuiltError extends Error {
  constructor(what) {
    super(`not built yet: ${what}`)
    this.name = 'NotBuiltError'
  }
}

export const captureBuild = fileURLToPath(new URL('../../packages/core/.cache/capture.mjs', import.meta.url))

export async function loadCore() {
  try {
    return await import('@lithops/core')
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') throw new NotBuiltError('packages/core/dist')
    throw error
  }
}

/** An executor on localhost with its defaults. */
export async function openExecutor() {
  const core = await loadCore()
  if (!core.FunctionExecutor) throw new NotBuiltError('FunctionExecutor')
  return new core.FunctionExecutor({ backend: 'localhost' })
}

/** The one place that knows where `captureFunction` comes from: the package, else the bundle that run.mjs makes. */
export async function loadCapture() {
  const core = await loadCore()
  if (core.captureFunction) return core.captureFunction
  if (!existsSync(captureBuild)) throw new NotBuiltError('captureFunction')
  const { captureFunction } = await import(pathToFileURL(captureBuild).href)
  if (!captureFunction) throw new NotBuiltError('captureFunction')
  return captureFunction
}
