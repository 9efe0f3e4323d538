import { builtinModules, createRequire } from 'node:module'

/** Where a value of a built-in module is found. */
export interface BuiltinMember {
  /** With 'node:'. */
  readonly module: string
  /** Undefined for the module itself. */
  readonly name: string | undefined
  /** The value is the prototype object of the member. */
  readonly isPrototype: boolean
}

/** Not loaded for a look: internal ones, and those that warn or do something when they are loaded. */
const LEFT_ALONE = /^(_|punycode|sys|wasi|trace_events|inspector|sqlite|sea|test)/

const require = createRequire(import.meta.url)
const members = new Map<unknown, BuiltinMember>()
const loaded = new Set<string>()

/** The built-in module that a value belongs to. Modules are loaded one by one until it is found. */
export function builtinMemberOf(value: unknown): BuiltinMember | undefined {
  for (const id of builtinModules) {
    if (members.has(value)) break
    if (loaded.has(id) || LEFT_ALONE.test(id)) continue
    loaded.add(id)
    noteMembers(id)
  }
  return members.get(value)
}

function noteMembers(id: string): void {
  let exports: Record<string, unknown>
  try {
    exports = require(id)
  } catch {
    return // not in this version of Node
  }
  const module = `node:${id}`
  note(exports, { module, name: undefined, isPrototype: false })
  for (const name of Object.keys(exports)) {
    const value = Object.getOwnPropertyDescriptor(exports, name)?.value
    if (typeof value !== 'function') continue
    note(value, { module, name, isPrototype: false })
    note(value.prototype, { module, name, isPrototype: true })
  }
}

function note(value: unknown, member: BuiltinMember): void {
  const isReference = (typeof value === 'object' && value !== null) || typeof value === 'function'
  if (isReference && !members.has(value)) members.set(value, member)
}
