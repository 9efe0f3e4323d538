import { isBuiltin } from 'node:module'
import { finishClass } from './class-source.ts'
import type { CaptureContext } from './context.ts'
import { applyEdits } from './edits.ts'
import type { FunctionEntry, FunctionSource } from './function-entry.ts'
import { importStatement } from './import-table.ts'
import { NameAllocator } from './names.ts'
import type { RevivedImport } from './private-state.ts'
import { type Recreation, recreationText } from './recreations.ts'

/** The module that makes the function on the worker (worker/instantiate.ts is what it talks to). */
export interface EmittedCode {
  readonly text: string
  /** It imports something other than built-in modules of Node. */
  readonly needsBundle: boolean
}

/** An import of the emitted module that may bring classes. */
export interface ClassSource {
  readonly name: string
  /** What it is in this process. */
  readonly value: unknown
}

/** The imports whose values are known, in an order that client and worker share. Asked for when names are given out. */
export function classSourcesOf({ imports, recreations }: CaptureContext): ClassSource[] {
  const all = [
    ...imports.all().map(({ localName: name, value }) => ({ name, value })),
    ...recreations
      .all()
      .flatMap(({ names, values }) =>
        Array.from(values, ([name, value]) => ({ name: names.get(name) as string, value })),
      ),
  ]
  return all.filter(({ value }) => mayHoldClasses(value))
}

function mayHoldClasses(value: unknown): boolean {
  if (typeof value === 'function') return typeof value.prototype === 'object' || Object.keys(value).length > 0
  return typeof value === 'object' && value !== null
}

/** Writes the module. All values are captured by now; names are given out here. */
export function emitModule(context: CaptureContext, revivedImports: readonly RevivedImport[]): EmittedCode {
  const { functions, recreations, variables, known } = context
  const sources = functions.entries.filter(({ source }) => source !== undefined)
  for (const entry of sources) if (entry.source?.code.form === 'class') finishClass(entry)
  const recreated = recreations.all()
  allocateNames(context, recreated)
  for (const entry of sources) addGuests(entry)
  const bodies = functions.entries.map(functionThunk)
  const captured = variables.all()
  const classSources = classSourcesOf(context)
  const imports = context.imports.all()
  const needsBundle =
    imports.some(({ specifier }) => !isBuiltin(specifier)) ||
    [...context.dynamicSpecifiers].some(specifier => !isBuiltin(specifier)) ||
    recreated.some(
      ({ usesRequire, edits }) => usesRequire && edits.some(edit => edit.text().includes('lithops:')),
    )
  const usesRequire =
    imports.some(({ isRequired }) => isRequired) ||
    recreated.some(recreation => recreation.usesRequire) ||
    context.dynamicSpecifiers.size > 0
  const lines = [
    // a bundle has a `require` of its own
    usesRequire && !needsBundle
      ? `import { createRequire as $r } from 'node:module'; const require = $r(import.meta.url)`
      : '',
    ...imports.filter(({ isRequired }) => !isRequired).map(importStatement),
    ...imports.filter(({ isRequired }) => isRequired).map(importStatement),
    'export default $h => {',
    ...recreated.filter(({ isEarly }) => isEarly).map(recreationText),
    captured.length > 0 ? `let ${captured.map(({ localName }) => localName).join(', ')};` : '',
    scopeObject(context, sources),
    'const $n = $h.name, $f = $h.fns([',
    bodies.join(',\n'),
    ']);',
    `$h.refs([${known.expressions().map(asThunk).join(', ')}]);`,
    ...revivedImports.map(({ index }) => `$h.imported(${index}, ${importedRef(context, index)});`),
    `$h.vars([${captured.map(({ localName }) => `$v => { ${localName} = $v }`).join(', ')}]);`,
    ...recreated.filter(({ isEarly }) => !isEarly).map(recreationText),
    classSources.length > 0
      ? `$h.imports([${classSources.map(({ name }) => asThunk(name)).join(', ')}]);`
      : '',
    'return $h.done();',
    '}',
  ]
  return { text: `${lines.filter(Boolean).join('\n')}\n`, needsBundle }
}

function asThunk(expression: string): string {
  return `() => ${expression}`
}

/** Index of the known value that is the class at an index of functions. */
function importedRef({ functions, known }: CaptureContext, index: number): number {
  const { fn } = functions.entries[index] as FunctionEntry
  return known.importedFunctions().find(([, one]) => one === fn)?.[0] as number
}

function allocateNames(
  { functions, imports, variables, globals, known }: CaptureContext,
  recreated: readonly Recreation[],
) {
  const texts = [
    ...functions.entries.flatMap(({ source }) =>
      source === undefined ? [] : source.script.source.slice(source.code.start, source.code.end),
    ),
    ...recreated.map(({ script, node }) => script.source.slice(node.start, node.end)),
  ]
  const names = new NameAllocator([...globals, ...known.globalNames()], texts)
  for (const one of imports.all()) one.localName = names.allocate(one.wantedName)
  for (const one of variables.all()) one.localName = names.allocate(one.wantedName)
  for (const one of recreated) for (const name of one.names.keys()) one.names.set(name, names.allocate(name))
}

/** Functions that use private names of a class are made in a static block of it. */
function addGuests({ source }: FunctionEntry): void {
  if (source === undefined || source.guests.length === 0) return
  const start = (source.code.node.body as { start: number }).start + 1
  const makers = source.guests.map(guest => `$h.host(${guest.index}, () => ${functionText(guest)})`)
  source.edits.push({ start, end: start, text: () => ` static { ${makers.join('; ')} } ` })
}

function functionThunk(entry: FunctionEntry): string {
  const { source, index, fn } = entry
  if (source === undefined) return '  null'
  if (source.host !== undefined) {
    return `  () => $n($h.hosted(${index}, ${source.host.index}), ${JSON.stringify(fn.name)})`
  }
  const text = functionText(entry)
  return source.parent === undefined
    ? `  () => ${text}`
    : `  () => { const $p = ${source.parent}; return ${text} }`
}

/** An expression that makes the function. */
function functionText({ fn, source }: FunctionEntry): string {
  const { code, script } = source as FunctionSource
  if (code.form === 'method')
    return asSloppy(source as FunctionSource, methodText(fn, source as FunctionSource))
  const text = `(${applyEdits(script.source, code, (source as FunctionSource).edits)})`
  const expression = asSloppy(source as FunctionSource, text)
  return !code.node.id && fn.name ? `$n(${expression}, ${JSON.stringify(fn.name)})` : expression
}

function methodText(fn: Function, { script, code, edits, homePrototype }: FunctionSource): string {
  const { node, parent } = code
  const { async: isAsync, generator: isGenerator } = node as { async?: boolean; generator?: boolean }
  const name = JSON.stringify(typeof fn.name === 'string' ? fn.name.replace(/^(get|set) /, '') : 'm')
  const kind = parent !== undefined && 'kind' in parent ? parent.kind : 'init'
  const rest = applyEdits(script.source, node, edits)
  const isAccessor = kind === 'get' || kind === 'set'
  const prefix = isAccessor ? `${kind} ` : `${isAsync ? 'async ' : ''}${isGenerator ? '*' : ''}`
  const literal = `{ ${prefix}[${name}]${rest} }`
  const object =
    homePrototype === undefined
      ? `(${literal})`
      : `Object.setPrototypeOf(${literal}, $h.get(${homePrototype}))`
  return isAccessor ? `Object.getOwnPropertyDescriptor(${object}, ${name}).${kind}` : `${object}[${name}]`
}

/** Sloppy code is handed over as text, with the place it comes from. */
function asSloppy({ isSloppy, script, code }: FunctionSource, text: string): string {
  if (!isSloppy) return text
  const { line, column } = script.positionOf(code.start)
  const place = [script.file ?? script.url, line, column].map(part => JSON.stringify(part)).join(', ')
  return `$h.sloppy(${JSON.stringify(text)}, $s, $h, ${place})`
}

/** What sloppy code sees of the emitted module: live names, and thunks for what it imports. */
function scopeObject({ variables }: CaptureContext, entries: readonly FunctionEntry[]): string {
  const sources = entries.flatMap(({ source }) => (source?.isSloppy ? source : []))
  if (sources.length === 0) return ''
  const isVariable = new Set(variables.all().map(({ localName }) => localName))
  const names = new Set(sources.flatMap(({ scopedNames }) => [...scopedNames]))
  const accessors = Array.from(names, name => {
    const getter = `get ${name}() { return ${name} }`
    return isVariable.has(name) ? `${getter}, set ${name}($v) { ${name} = $v }` : getter
  })
  const thunks = sources.flatMap(({ scopedThunks }) =>
    Array.from(scopedThunks, ([name, expression]) => `${name}: () => ${expression}`),
  )
  return `const $s = { ${[...accessors, ...thunks].join(', ')} };`
}
