import { evaluateAtEntry } from '../inspector/entry-probe.ts'
import { readVariable, type ScopeObject } from '../inspector/inspect-function.ts'
import type { LocatedCode } from '../source/locate.ts'
import { probeCall } from '../source/probe-arguments.ts'
import type { Declaration } from '../source/scope.ts'
import type { Script } from '../source/script.ts'
import type { CaptureContext } from './context.ts'

/** From V8 12 (Node 22) on, reading a variable in its dead zone throws: there is nothing left to find out. */
const READS_THROW = Number(process.versions.v8.split('.')[0]) >= 12

/**
 * V8 parses the whole script for each question, so a capture asks about so many characters and takes the rest as it
 * reads. Only functions of a large bundle get there.
 */
const ASKED_CHARACTERS = 4_000_000

/** Module-level declarations that were seen to have run. They stay so. */
const initialized = new WeakSet<Declaration>()

/**
 * Whether a variable that reads as undefined is in its temporal dead zone. The function itself is asked, which takes
 * longer the larger its module is: so all variables of the module are asked about at once.
 */
export function isInDeadZone(
  { asked }: CaptureContext,
  declaration: Declaration,
  values: ScopeObject,
  { fn, script, code }: { readonly fn: Function; readonly script: Script; readonly code: LocatedCode },
): boolean {
  if (READS_THROW || !mayBeDead(declaration) || initialized.has(declaration)) return false
  if (code.form !== 'function' || !('generator' in code.node) || code.node.generator) return false
  if (asked.characters > ASKED_CHARACTERS) return false
  asked.characters += script.source.length
  const { scope } = declaration
  const others = scope.kind === 'module' ? [...scope.declarations.values()] : []
  const candidates = [declaration, ...others.filter(one => one !== declaration && isCandidate(one, values))]
  const dead = namesInDeadZone(candidates, fn, code)
  if (scope.kind === 'module') for (const one of candidates) if (!dead.has(one.name)) initialized.add(one)
  return dead.has(declaration.name)
}

function isCandidate(declaration: Declaration, values: ScopeObject): boolean {
  const { name } = declaration
  return (
    mayBeDead(declaration) &&
    !initialized.has(declaration) &&
    Object.hasOwn(values, name) &&
    readVariable(values, name) === undefined
  )
}

function mayBeDead({ kind, init }: Declaration): boolean {
  return kind === 'const' || kind === 'class' || (kind === 'let' && init !== undefined)
}

function namesInDeadZone(
  candidates: readonly Declaration[],
  fn: Function,
  { node }: LocatedCode,
): Set<string> {
  const tests = candidates.map(({ name }) => {
    return `(() => { try { ${name}; return '' } catch { return ${JSON.stringify(name)} } })()`
  })
  const call = probeCall(node)
  if (call.effect !== undefined) return new Set()
  try {
    return new Set(evaluateAtEntry(fn, `[${tests.join(', ')}]`, call) as string[])
  } catch {
    return new Set() // a function that cannot be stopped: the variable is taken as it reads
  }
}
