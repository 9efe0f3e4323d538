import { types } from 'node:util'
import type { Path } from '../../codec/refusal.ts'
import { isOfNode } from '../source/locate.ts'
import { builtinMemberOf } from './builtin-modules.ts'
import { CaptureError } from './capture-error.ts'
import type { CaptureContext } from './context.ts'
import { hostExpression, intrinsicExpression } from './intrinsics.ts'

/** Built-in classes whose instances' state only the engine sees. */
const OPAQUE_CLASSES = new Set(
  'AbortController AbortSignal TextEncoder TextDecoder Headers Request Response FormData ReadableStream WritableStream TransformStream MessagePort BroadcastChannel WebSocket Event EventTarget FinalizationRegistry'.split(
    ' ',
  ),
)

/** Modules whose instances are data and not handles. */
const DATA_MODULES = /^node:(url|buffer|events)$/

/** The reference of a prototype object: as that of its class, so that instances and class stay together. */
export function encodePrototype({ encoder, known }: CaptureContext, prototype: object, path: Path): number {
  const done = encoder.memo.get(prototype)
  if (done !== undefined) return done
  const node = known.intrinsicNode(prototype)
  if (node !== undefined) return encoder.remember(prototype, encoder.addNode(node))
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  if (typeof constructor === 'function' && constructor.prototype === prototype) {
    const ref = encoder.encode(constructor, [...path.slice(0, -1), `<class ${constructor.name}>`])
    return encoder.memo.get(prototype) ?? encoder.remember(prototype, encoder.addNode(['P', ref]))
  }
  return encoder.encode(prototype, path)
}

/** Refuses instances of Node's own classes, which are handles of this process, and those that cannot be looked into. */
export function refuseHandles(value: object, path: Path): void {
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === null || prototype === Object.prototype || Array.isArray(value)) return
  const ownName: unknown = prototype.constructor?.name
  // the class itself may be found nowhere, but what it extends
  for (let part: object | null = prototype; part !== null; part = Object.getPrototypeOf(part)) {
    const constructor: unknown = Object.getOwnPropertyDescriptor(part, 'constructor')?.value
    if (typeof constructor !== 'function' || typeof constructor.name !== 'string') continue
    if (isOpaque(constructor)) {
      const article = /^[AEIOU]/.test(constructor.name) ? 'an' : 'a'
      throw new CaptureError(
        `it is ${article} ${constructor.name}, whose state only the engine sees (make it in the function, or in a const initializer)`,
        path,
      )
    }
    if (
      intrinsicExpression(constructor) !== undefined ||
      !isOfNode(constructor) ||
      types.isNativeError(value)
    )
      return
    const member = hostExpression(constructor) === undefined ? builtinMemberOf(constructor) : undefined
    if (member !== undefined && !DATA_MODULES.test(member.module)) {
      throw new CaptureError(
        `it is a ${ownName} from '${member.module}' (a live handle of this process: open it in the function)`,
        path,
      )
    }
    if (member !== undefined) return
  }
}

function isOpaque(constructor: Function): boolean {
  const { name } = constructor
  if (OPAQUE_CLASSES.has(name)) return hostExpression(constructor) !== undefined || isOfNode(constructor)
  return (Intl as unknown as Record<string, unknown>)[name] === constructor && name in Intl
}
