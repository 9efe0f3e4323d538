import type { ScopeObject, SourceFacts } from '../inspector/inspect-function.ts'
import type { Declaration } from '../source/scope.ts'
import type { Script } from '../source/script.ts'

const evaluating = new WeakMap<Script, boolean>()

/**
 * Keeps what a function's variable holds for later captures of the function, if nothing can assign to it any more: V8 need
 * not be asked for it again, which is most of the time that a capture takes.
 */
export function keepIfLasting(
  facts: SourceFacts,
  declaration: Declaration,
  values: ScopeObject,
  script: Script,
): void {
  const { name, scope } = declaration
  if (!facts.isSeenAgain || values[name] === undefined || !isLasting(declaration, script)) return
  if (scope.kind === 'module') {
    // not the others, which would outlive their use here
    facts.keep(name, { __proto__: null, [name]: values[name] } as ScopeObject)
    return
  }
  // runs of a scope's code are told apart by all variables of it
  const isWhole = Object.keys(values).every(other => {
    const one = scope.declarations.get(other)
    return one !== undefined && isLasting(one, script)
  })
  if (isWhole) facts.keep(name, values)
}

function isLasting({ kind, init, isReassigned }: Declaration, script: Script): boolean {
  if (kind === 'const') return true
  if (isReassigned || mayEvaluate(script)) return false
  if (kind === 'let') return init !== undefined
  if (kind === 'class') return true
  // in sloppy code `arguments` assigns to parameters, and a block to the function that it declares
  return script.isModule && (kind === 'parameter' || kind === 'function')
}

/** Code that is not in the script may assign to its variables. */
function mayEvaluate(script: Script): boolean {
  let found = evaluating.get(script)
  if (found === undefined) {
    found = script.analysis.specials.some(({ kind }) => kind === 'eval')
    evaluating.set(script, found)
  }
  return found
}
