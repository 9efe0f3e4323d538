import type { ClassTable } from '../codec/class-table.ts'
import { readSections } from '../codec/sections.ts'
import { instantiate } from './interim-instantiate.mjs'

/** The default export of a shipped module. */
export type ModuleFactory = (helper: never) => unknown

/** Puts the captured values into a function's module. */
export function instantiateFunction(
  factory: ModuleFactory,
  env: Uint8Array,
): { fn: Function; classes: ClassTable } {
  const { json, buffers } = readSections(env, 0, env.length)
  const [root, nodes, meta] = json as [number, unknown[], unknown]
  const fn = instantiate(factory, { n: nodes, meta, b: buffers }, root) as Function
  const ids = new Map<object, string>()
  const prototypes = new Map<string, object>()
  for (const [prototype, [kind, index]] of (instantiate.types.get(fn) ?? new Map()) as Map<
    object,
    [string, number]
  >) {
    ids.set(prototype, `${kind}${index}`)
    prototypes.set(`${kind}${index}`, prototype)
  }
  return { fn, classes: { idOf: p => ids.get(p), prototypeOf: id => prototypes.get(id) } }
}
