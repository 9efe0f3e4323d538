import { types } from 'node:util'
import { SerializationError } from '../errors/index.ts'

/** The way from a root to a part of it. */
export type Path = readonly (string | number | symbol)[]

/** A member with the words for why instances of a class of this project stay in their process. */
const STAYS = Symbol.for('lithops.stays')

/** Words for why a value cannot travel, or undefined when nothing is known against it. */
export function refusalOf(value: object): string | undefined {
  if (types.isProxy(value)) return 'it is a Proxy (pass the object behind it)'
  const said = (value as { readonly [STAYS]?: unknown })[STAYS]
  if (typeof said === 'string') return said
  if (types.isPromise(value)) return 'it is a Promise (await it first)'
  if (types.isWeakMap(value)) return 'it is a WeakMap, whose entries cannot be listed'
  if (types.isWeakSet(value)) return 'it is a WeakSet, whose entries cannot be listed'
  const tag = tagOf(value)
  if (tag === 'WeakRef') return 'it is a WeakRef (pass what it points to)'
  if (types.isGeneratorObject(value)) return 'it is a running generator (pass an array of its values)'
  if (types.isMapIterator(value) || types.isSetIterator(value) || isNativeIterator(value, tag)) {
    return 'it is an iterator (pass an array of its values)'
  }
  if (types.isModuleNamespaceObject(value))
    return 'it is a module namespace (import the module in the function)'
  if (types.isExternal(value)) return 'it is a native handle of this process'
  if (tag.startsWith('WebAssembly'))
    return `it is a ${tag} (pass the bytes and instantiate them in the function)`
  if (tag === 'Blob' || tag === 'File')
    return `it is a ${tag} (pass its bytes: await ${tag.toLowerCase()}.arrayBuffer())`
  if (types.isKeyObject(value) || types.isCryptoKey(value))
    return 'it is a key object of this process (export it first)'
  return undefined
}

function isNativeIterator(value: object, tag: string): boolean {
  if (!tag.endsWith('Iterator')) return false
  const next = (value as { next?: unknown }).next
  return typeof next === 'function' && Function.prototype.toString.call(next).includes('[native code]')
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}

/** 'items[3].when' from a path. Parts that begin with '<' or '.' are words and calls, not keys. */
export function formatPath(path: Path): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (typeof part === 'symbol') text += `[${String(part)}]`
    else if (part.startsWith('<')) text += ` → ${part}`
    else if (part.startsWith('.')) text += part
    else if (/^[A-Za-z_$#][\w$]*$/.test(part)) text += text === '' ? part : `.${part}`
    else text += `[${JSON.stringify(part)}]`
  }
  return text
}

/** An error for data that cannot travel. */
export function cannotSend(why: string, path: Path): SerializationError {
  const where = formatPath(path)
  return new SerializationError(`The value${where === '' ? '' : ` at ${where}`} cannot be sent: ${why}.`, {
    path,
  })
}

/** An error for an instance whose class is not known on the other side. */
export function unknownClass(name: string, path: Path): SerializationError {
  return cannotSend(
    `it is an instance of class ${name}, which did not travel with the function. Use the class in the function, ` +
      'or send plain data',
    path,
  )
}
