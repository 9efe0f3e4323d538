import { forgetInspected, inspectFunction } from './inspector/inspect-function.ts'
import { InspectorSession } from './inspector/inspector-session.ts'
import { scriptById } from './source/script.ts'

/**
 * The files that define a function: the one that V8 runs, and the one that its source map names. Empty for functions that
 * have none, as bound ones, and where there is no inspector.
 */
export function definitionFilesOf(fn: Function): string[] {
  if (InspectorSession.whyMissing() !== undefined) return []
  try {
    const facts = inspectFunction(fn)
    if (facts.kind !== 'source') return []
    const script = scriptById(facts.scriptId)
    if (script.file === undefined) return []
    const place = script.placeOf(script.offsetOf(facts.line, facts.column))
    return [...new Set([script.file, place.replace(/:\d+:\d+$/, '')])]
  } finally {
    forgetInspected()
    InspectorSession.get().rest()
  }
}
