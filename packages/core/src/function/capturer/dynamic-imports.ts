import path from 'node:path'
import { computedSpecifier, partsOfName } from '../computed-imports.ts'
import type { SpecialPlace } from '../source/analyze.ts'
import { isCreatedRequire, specifierOfVite } from '../source/runner-idioms.ts'
import type { Script } from '../source/script.ts'
import type { SourceRange } from '../source/syntax.ts'
import type { CaptureContext } from './context.ts'
import type { Edit } from './edits.ts'
import type { FunctionSource } from './function-entry.ts'
import { emittedSpecifier } from './import-table.ts'

/** `import.meta` of the user's module, as it is here. */
export function importMetaText(url: string, file: string | undefined): string {
  const text = JSON.stringify({ url, filename: file, dirname: file && path.dirname(file) })
  return `(${text})`
}

/**
 * `import('…')` and `require('…')` are resolved from the user's file. `source`: the function that they stand in, which may be
 * sloppy code.
 */
export function editDynamicImport(
  context: CaptureContext,
  { script, edits }: { readonly script: Script; readonly edits: Edit[] },
  place: SpecialPlace,
  source?: FunctionSource,
): void {
  if (place.kind === 'require()') {
    const { callee } = place.node
    const declaration = callee.type === 'Identifier' ? place.scope.lookup(callee.name) : undefined
    if (declaration !== undefined && !isCreatedRequire(declaration)) return
    const [literal] = place.node.arguments
    const specifier = JSON.stringify(emittedSpecifier(script.file, String(literal.value)))
    context.dynamicSpecifiers.add(String(literal.value))
    if (source?.isSloppy)
      edits.push({ ...rangeOf(place), text: () => scopedThunk(source, `require(${specifier})`) })
    else edits.push({ ...rangeOf(literal), text: () => specifier })
    return
  }
  if (place.kind !== 'import()' && place.kind !== 'vite-import()') return
  const argument = place.kind === 'import()' ? place.node.source : place.node.arguments[0]
  const literal =
    argument?.type === 'Literal' && typeof argument.value === 'string' ? argument.value : undefined
  if (literal === undefined || argument === undefined) {
    const specifier = computedSpecifier(partsOfName(argument))
    const stand = context.imports.add({ importer: script.file, specifier, imported: 'default' }, '$import')
    const keyword =
      place.kind === 'import()'
        ? { start: place.start, end: place.start + 'import'.length }
        : rangeOf(place.node.callee)
    edits.push({
      ...keyword,
      text: () => (source === undefined ? stand.localName : scoped(source, stand.localName)),
    })
    return
  }
  if (place.kind === 'vite-import()') edits.push({ ...rangeOf(place.node.callee), text: () => 'import' })
  const wanted = place.kind === 'import()' ? literal : specifierOfVite(literal)
  const specifier = JSON.stringify(emittedSpecifier(script.file, wanted))
  context.dynamicSpecifiers.add(wanted)
  if (source?.isSloppy)
    edits.push({ ...rangeOf(place), text: () => scopedThunk(source, `import(${specifier})`) })
  else edits.push({ ...rangeOf(argument), text: () => specifier })
}

/** The call of a thunk that the emitted module keeps for sloppy code. */
function scopedThunk({ scopedThunks, script, code }: FunctionSource, expression: string): string {
  let name = [...scopedThunks].find(([, known]) => known === expression)?.[0]
  if (name === undefined) {
    name = `$m${script.id}_${code.start}_${scopedThunks.size}`
    scopedThunks.set(name, expression)
  }
  return `$s.${name}()`
}

/** A name of the emitted module, as sloppy code reaches it. */
export function scoped({ isSloppy, scopedNames }: FunctionSource, name: string): string {
  if (!isSloppy || !/^[A-Za-z_$][\w$]*$/.test(name)) return name
  scopedNames.add(name)
  return `$s.${name}`
}

export function rangeOf({ start, end }: SourceRange): SourceRange {
  return { start, end }
}
