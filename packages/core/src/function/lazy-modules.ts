import { createRequire } from 'node:module'
import vm from 'node:vm'

// Node's own, where a test runner with contexts of its own (Jest, vitest's vm pools) puts another in its place, which
// cannot load ES modules. Jest replaces `process` as well: the one of the main context is asked.
const { getBuiltinModule } = vm.runInThisContext('process') as NodeJS.Process
const node = getBuiltinModule?.('node:module') ?? { createRequire }
const require = node.createRequire(import.meta.url)

/**
 * Loads a dependency of capture at its first use, synchronously: importing the package stays cheap, and what is loaded
 * here is loaded while the first worker starts.
 */
function lazily<M>(name: string): () => M {
  let module: M | undefined
  return () => (module ??= require(name) as M)
}

/** Absent where Node was built without it. */
export const inspectorModule = lazily<typeof import('node:inspector')>('node:inspector')
export const acorn = lazily<typeof import('acorn')>('acorn')
export const magicString = lazily<typeof import('magic-string')>('magic-string')
const remappingModule = lazily<{ default?: Remapping } & Remapping>('@jridgewell/remapping')
export const traceMapping = lazily<typeof import('@jridgewell/trace-mapping')>('@jridgewell/trace-mapping')

type Remapping = typeof import('@jridgewell/remapping').default

/** Its CommonJS build exports the function itself. */
export const remapping = (): Remapping => remappingModule().default ?? remappingModule()
