import { sha256Hex } from '../../builtins.ts'

const ids = new WeakMap<Function, string>()

/** The same for a class wherever it is captured: by its name and source. */
export function classIdOf(fn: Function): string {
  let id = ids.get(fn)
  if (id === undefined) {
    const text = `${fn.name}\n${Function.prototype.toString.call(fn)}`
    id = sha256Hex(text).slice(0, 16)
    ids.set(fn, id)
  }
  return id
}
