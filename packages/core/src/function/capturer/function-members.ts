import { types } from 'node:util'
import { CONFIGURABLE, ENUMERABLE, type NodeExtra, UNDEFINED_REF, WRITABLE } from '../../codec/graph.ts'
import type { Path } from '../../codec/refusal.ts'
import { privateFieldsOf } from '../inspector/inspect-function.ts'
import { locate } from '../source/locate.ts'
import { type ClassNode, privateFieldNames } from '../source/syntax.ts'
import type { CaptureContext } from './context.ts'
import { type FunctionEntry, type FunctionSource, sourceOfForm } from './function-entry.ts'
import { intrinsicExpression } from './intrinsics.ts'
import { encodePrototype } from './prototypes.ts'

/** Own properties that every function has by itself. */
const USUAL_PROPERTIES: ReadonlySet<PropertyKey> = new Set([
  'length',
  'name',
  'prototype',
  'arguments',
  'caller',
])

/** What a function that travels by value has beyond what its text makes. */
export function membersOf(context: CaptureContext, entry: FunctionEntry, path: Path): NodeExtra | undefined {
  const { fn, source } = entry
  if (source === undefined) return undefined
  const isClass = source.code.form === 'class'
  const isFromText = (property: PropertyDescriptor) => isClass && isMemberOfText(property, source)
  const extra = encodeProperties(context, fn, path, key => USUAL_PROPERTIES.has(key), isFromText)
  source.prototypeExtra = prototypeMembers(context, fn, path, isClass, isFromText)
  source.staticPrivates = staticPrivatesOf(context, entry, path)
  const parent = Object.getPrototypeOf(fn) as object
  if (!isClass && intrinsicExpression(parent) === undefined) {
    extra.q = encodePrototype(context, parent, [...path, '<prototype>'])
  }
  return isEmpty(extra) ? undefined : extra
}

/** Members that were added to the prototype object: ES5 classes, decorators, mixins. */
function prototypeMembers(
  context: CaptureContext,
  fn: Function,
  path: Path,
  isClass: boolean,
  isFromText: (property: PropertyDescriptor) => boolean,
): NodeExtra | undefined {
  const prototype: unknown = Object.hasOwn(fn, 'prototype') ? fn.prototype : undefined
  if (typeof prototype !== 'object' || prototype === null || types.isGeneratorFunction(fn)) return undefined
  const isUsual = (key: PropertyKey) => key === 'constructor' && readOwn(prototype, key) === fn
  const extra = encodeProperties(context, prototype, [...path, 'prototype'], isUsual, isFromText)
  const parent = Object.getPrototypeOf(prototype) as object | null
  if (!isClass && parent !== Object.prototype && parent !== null) {
    extra.q = encodePrototype(context, parent, [...path, 'prototype', '<prototype>'])
  }
  return isEmpty(extra) ? undefined : extra
}

function encodeProperties(
  { encoder }: CaptureContext,
  owner: object,
  path: Path,
  isUsual: (key: PropertyKey) => boolean,
  isFromText: (property: PropertyDescriptor) => boolean,
): NodeExtra {
  const pairs: number[] = []
  const attributes: NonNullable<NodeExtra['t']> = []
  for (const key of Reflect.ownKeys(owner)) {
    const property = Object.getOwnPropertyDescriptor(owner, key) as PropertyDescriptor
    if (isUsual(key) || isFromText(property)) continue
    const encode = (value: unknown) => encoder.encode(value, [...path, key], owner)
    const hasValue = 'value' in property
    const position = pairs.push(encoder.encode(key), hasValue ? encode(property.value) : UNDEFINED_REF) - 2
    const { writable, enumerable, configurable, get, set } = property
    if (hasValue && writable && enumerable && configurable) continue
    const flags =
      (writable ? WRITABLE : 0) | (enumerable ? ENUMERABLE : 0) | (configurable ? CONFIGURABLE : 0)
    attributes.push([
      position,
      flags,
      get === undefined ? UNDEFINED_REF : encode(get),
      set === undefined ? UNDEFINED_REF : encode(set),
      hasValue ? 1 : 0,
    ])
  }
  return { ...(pairs.length > 0 && { p: pairs }), ...(attributes.length > 0 && { t: attributes }) }
}

function staticPrivatesOf(
  { encoder }: CaptureContext,
  entry: FunctionEntry,
  path: Path,
): (string | number)[] | undefined {
  const source = sourceOfForm(entry, 'class')
  if (source === undefined) return undefined
  const declared = new Set(privateFieldNames(source.code.node as ClassNode, { isStatic: true }))
  if (declared.size === 0) return undefined
  return privateFieldsOf(entry.fn).flatMap(({ name, value }) => {
    const bare = name.slice(1)
    return declared.has(bare) ? [bare, encoder.encode(value, [...path, name], entry.fn)] : []
  })
}

/** Methods and accessors that the class's text makes. Its static fields are left out of that text. */
function isMemberOfText({ value, get, set }: PropertyDescriptor, { script, code }: FunctionSource): boolean {
  const member: unknown = value ?? get ?? set
  if (typeof member !== 'function') return false
  const place = locate(member)
  const parent = place?.script === script ? place.code?.parent : undefined
  return parent?.type === 'MethodDefinition' && (code.node as ClassNode).body.body.includes(parent)
}

function readOwn(owner: object, key: PropertyKey): unknown {
  return Object.getOwnPropertyDescriptor(owner, key)?.value
}

function isEmpty(extra: NodeExtra): boolean {
  return Object.keys(extra).length === 0
}
