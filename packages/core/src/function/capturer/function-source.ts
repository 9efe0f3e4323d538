import { evaluateAtEntry } from '../inspector/entry-probe.ts'
import type { Reference, SpecialPlace } from '../source/analyze.ts'
import { probeCall } from '../source/probe-arguments.ts'
import { codeNodesWithin, freeReferences, specialPlaces } from '../source/references.ts'
import { mayDependOnSloppyMode } from '../source/strictness.ts'
import { contains, declaresPrivate, isClassNode, type SourceRange } from '../source/syntax.ts'
import { bindName, type CaptureSite, editOfReference } from './bindings.ts'
import { CaptureError } from './capture-error.ts'
import { captureHeritage, editComputedMethodNames, isInStaticMember } from './class-source.ts'
import type { CaptureContext } from './context.ts'
import { editDynamicImport, importMetaText, rangeOf, scoped } from './dynamic-imports.ts'
import type { FunctionEntry, FunctionSource } from './function-entry.ts'
import { findHome, findHomePrototype } from './home.ts'

/** Where a function is captured, with its code found. */
export type SourceSite = CaptureSite & { readonly code: NonNullable<CaptureSite['code']> }

/** The `this` of an arrow function never changes. */
const thisValues = new WeakMap<Function, { readonly value: unknown }>()

/** Captures a function by value: plans the changes of its text, and captures what its free names stand for. */
export function captureSource(
  context: CaptureContext,
  entry: FunctionEntry,
  site: SourceSite,
  owner: object | undefined,
): void {
  const { script, code } = site
  const source: FunctionSource = {
    script,
    code,
    edits: [],
    isSloppy: !code.isStrict && isSloppySensitive(site),
    scopedNames: new Set(),
    scopedThunks: new Map(),
    isRevived: false,
    guests: [],
  }
  entry.source = source
  const places = captureSpecialPlaces(context, source, site)
  const thisValue = captureThis(context, source, site, places.arrowThis)
  const homeless = places.homelessPrivates[0]
  if (homeless !== undefined)
    findHome(context, entry, site, { name: homeless.name, place: homeless, candidates: [thisValue, owner] })
  if (places.ownSuper !== undefined) {
    source.homePrototype = findHomePrototype(context, site, { place: places.ownSuper, owner })
  }
  const handled: SourceRange[] = []
  if (code.form === 'class') {
    const heritage = captureHeritage(context, entry, site)
    if (heritage !== undefined) handled.push(heritage)
    handled.push(...editComputedMethodNames(context, entry, site))
  }
  bindFreeNames(context, source, site, handled)
}

function isSloppySensitive({ script, code }: SourceSite): boolean {
  const undeclared = new Set(
    freeReferences(script.analysis, code).flatMap(({ declaration, start }) =>
      declaration === undefined ? start : [],
    ),
  )
  return mayDependOnSloppyMode(code.node, name => undeclared.has(name.start))
}

interface FoundPlaces {
  /** `this` of an arrow, given from outside. */
  readonly arrowThis: (SpecialPlace & { kind: 'this' | 'super' | 'new.target' | 'import.meta' })[]
  /** Private names of a class that the function was taken out of. */
  readonly homelessPrivates: (SpecialPlace & { kind: 'private' })[]
  /** `super` of the function itself, a method. */
  ownSuper: SpecialPlace | undefined
}

/** Edits what depends on where it stands, refuses what cannot be kept, and returns what needs a look at values. */
function captureSpecialPlaces(
  context: CaptureContext,
  source: FunctionSource,
  site: SourceSite,
): FoundPlaces {
  const { script, code, path: way } = site
  const found: FoundPlaces = { arrowThis: [], homelessPrivates: [], ownSuper: undefined }
  const refuse = (why: string, place: SourceRange) =>
    new CaptureError(`${why} (${script.placeOf(place.start)})`, way)
  for (const place of specialPlaces(script.analysis, code)) {
    if (code.form === 'class' && isInStaticMember(code.node, place)) continue
    switch (place.kind) {
      case 'this':
        if (isOfOuter(place.owner, code) && code.node.type === 'ArrowFunctionExpression')
          found.arrowThis.push(place)
        break
      case 'super':
        if (code.form === 'method' && place.owner === code.node) found.ownSuper = place
        else if (isOfOuter(place.owner, code))
          throw refuse("it uses 'super' outside of its class: call a method of the object instead", place)
        break
      case 'new.target':
        if (isOfOuter(place.owner, code))
          throw refuse(
            "it uses 'new.target' of an enclosing function: keep it in a const and use that",
            place,
          )
        break
      case 'eval':
        throw refuse(
          'it calls eval() directly, so its variables cannot be determined: write the code out, or use new Function',
          place,
        )
      case 'with':
        throw refuse("it uses a 'with' statement, which modules do not allow: name the object", place)
      case 'import.meta':
        source.edits.push({ ...rangeOf(place), text: () => importMetaText(script.url, script.file) })
        break
      case 'private':
        if (!isOfOwnClass(site, place)) found.homelessPrivates.push(place)
        break
      default:
        editDynamicImport(context, source, place, source)
    }
  }
  return found
}

/** What gives `this` or `super` stands around the function. */
function isOfOuter(owner: SourceRange, code: SourceRange): boolean {
  return !contains(code, owner)
}

/** The class that declares the private name is within the function's text. */
function isOfOwnClass({ script, code }: SourceSite, place: SourceRange & { readonly name: string }): boolean {
  return codeNodesWithin(script.analysis, code).some(
    ({ node }) => isClassNode(node) && contains(node, place) && declaresPrivate(node, place.name),
  )
}

/** Makes a variable of the `this` that an arrow function has from outside; returns its value. */
function captureThis(
  context: CaptureContext,
  source: FunctionSource,
  { fn, script, code, path: way }: SourceSite,
  places: readonly SpecialPlace[],
): unknown {
  if (places.length === 0) return undefined
  let known = thisValues.get(fn)
  if (known === undefined) {
    const call = probeCall(code.node)
    if (call.effect !== undefined) {
      throw new CaptureError(
        `its \`this\` cannot be found without evaluating a key in its parameters, which changes something (${script.placeOf(call.effect.start)}); keep \`this\` in a const and use that`,
        way,
      )
    }
    known = { value: evaluateAtEntry(fn, 'this', call) }
    thisValues.set(fn, known)
  }
  const { value } = known
  const variable = context.variables.addThis(script, code.owner.start, value, way)
  for (const place of places)
    source.edits.push({ ...rangeOf(place), text: () => scoped(source, variable.localName) })
  return value
}

function bindFreeNames(
  context: CaptureContext,
  source: FunctionSource,
  site: SourceSite,
  handled: readonly SourceRange[],
): void {
  const { script, code } = site
  const bindings = new Map<string, ReturnType<typeof bindName>>()
  for (const reference of freeReferences(script.analysis, code)) {
    if (handled.some(range => contains(range, reference))) continue
    if (code.form === 'class' && isInStaticMember(code.node, reference)) continue
    const scope = reference.declaration?.scope
    const key = `${reference.name}|${scope?.start}:${scope?.end}`
    if (!bindings.has(key)) bindings.set(key, bindName(context, reference, site))
    const binding = bindings.get(key)
    if (source.isSloppy) editForSloppyCode(source, reference, binding)
    else if (binding !== undefined) source.edits.push(editOfReference(reference, binding))
  }
}

/** Sloppy code is compiled by itself and reaches the names of the emitted module through an object. */
function editForSloppyCode(
  source: FunctionSource,
  reference: Reference,
  binding: ReturnType<typeof bindName>,
): void {
  const { name, start, end, isShorthand, isCallee } = reference
  if (binding === undefined && name !== 'require') return
  const text = () => {
    const local = scoped(source, binding?.() ?? name)
    if (isShorthand) return `${name}: ${local}`
    return isCallee && local.startsWith('$s.') ? `(0, ${local})` : local
  }
  source.edits.push({ start, end, text })
}
