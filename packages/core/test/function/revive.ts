import { pathToFileURL } from 'node:url'
import type { CapturedFunction } from '../../src/function/captured-function.ts'
import { instantiateFunction, type ModuleFactory } from '../../src/worker/instantiate.ts'

/** The function as a worker would make it, in this process. */
export async function revive(captured: CapturedFunction): Promise<(...args: any[]) => unknown> {
  const { file } = await captured.bundle()
  const module = (await import(/* @vite-ignore */ pathToFileURL(String(file)).href)) as {
    default: ModuleFactory
  }
  return instantiateFunction(module.default, captured.env).fn as (...args: any[]) => unknown
}
