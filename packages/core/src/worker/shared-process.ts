import { NotSupportedError } from '../errors/index.ts'
import type { RunningCall } from './call-context.ts'
import { callOfCode } from './run-activation.ts'

/** Variables as one call sees them: what it has set itself, over its job's. Undefined: removed. */
type Overlay = Map<string, string | undefined>

/**
 * Keeps calls that run at the same time in one process from seeing each other's changes of it. Each has its own view of
 * `process.env`; `process.exit` ends the call alone; `process.chdir`, which would move all of them, is refused. Code that no
 * call has begun sees the process as it is. Native code sees the process's own variables.
 */
export function shareProcess(): void {
  const overlays = new WeakMap<RunningCall, Overlay>()
  const overlayOfCode = (): Overlay | undefined => {
    const call = callOfCode.getStore()
    if (call === undefined) return undefined
    let overlay = overlays.get(call)
    if (overlay === undefined) {
      overlay = new Map(Object.entries(call.extraEnv))
      overlays.set(call, overlay)
    }
    return overlay
  }
  process.env = environmentOver(process.env, overlayOfCode)
  const exit = process.exit.bind(process)
  process.exit = (code?: string | number | null) => {
    const call = callOfCode.getStore()
    if (call === undefined) return exit(code)
    throw call.endProcess(code)
  }
  const chdir = process.chdir.bind(process)
  process.chdir = directory => {
    if (callOfCode.getStore() === undefined) return chdir(directory)
    throw new NotSupportedError(
      `process.chdir(${JSON.stringify(directory)}): this worker runs several calls at once, which have one working directory. Use absolute paths, or set the backend's concurrency to 1.`,
    )
  }
}

function environmentOver(
  base: NodeJS.ProcessEnv,
  overlayOfCode: () => Overlay | undefined,
): NodeJS.ProcessEnv {
  const read = (key: string): string | undefined => {
    const overlay = overlayOfCode()
    return overlay?.has(key) ? overlay.get(key) : base[key]
  }
  const write = (key: string, value: string | undefined): void => {
    const overlay = overlayOfCode()
    if (overlay !== undefined) overlay.set(key, value)
    else if (value === undefined) delete base[key]
    else base[key] = value
  }
  return new Proxy<NodeJS.ProcessEnv>(
    {},
    {
      get: (_, key) => (typeof key === 'string' ? read(key) : undefined),
      has: (_, key) => typeof key === 'string' && read(key) !== undefined,
      set(_, key, value) {
        if (typeof key === 'symbol') throw new TypeError('Names of environment variables are texts.')
        write(key, `${value}`)
        return true
      },
      deleteProperty(_, key) {
        if (typeof key === 'string') write(key, undefined)
        return true
      },
      defineProperty(_, key, descriptor) {
        if (typeof key === 'symbol' || !('value' in descriptor)) return false
        write(key, `${descriptor.value}`)
        return true
      },
      ownKeys() {
        const keys = new Set(Object.keys(base))
        for (const [key, value] of overlayOfCode() ?? [])
          if (value === undefined) keys.delete(key)
          else keys.add(key)
        return [...keys]
      },
      getOwnPropertyDescriptor(_, key) {
        const value = typeof key === 'string' ? read(key) : undefined
        return value === undefined
          ? undefined
          : { value, writable: true, enumerable: true, configurable: true }
      },
    },
  )
}
