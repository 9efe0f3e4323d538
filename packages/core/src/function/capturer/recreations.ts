import type {
  AnyNode,
  Expression,
  FunctionDeclaration,
  FunctionExpression,
  Identifier,
  VariableDeclarator,
} from 'acorn'
import type { Path } from '../../codec/refusal.ts'
import { freeReferences, specialPlaces } from '../source/references.ts'
import { isPure, isRequired, isTypeScriptHelper } from '../source/runner-idioms.ts'
import type { Declaration } from '../source/scope.ts'
import type { Script } from '../source/script.ts'
import { boundNames, isFunctionNode } from '../source/syntax.ts'
import { bindName, type CaptureSite, editOfReference } from './bindings.ts'
import { CaptureError } from './capture-error.ts'
import type { CaptureContext } from './context.ts'
import { editDynamicImport, importMetaText } from './dynamic-imports.ts'
import { applyEdits, type Edit } from './edits.ts'
import { emittedSpecifier } from './import-table.ts'

/** A declaration that the worker evaluates again, because its value cannot or need not be copied. */
export interface Recreation {
  readonly script: Script
  readonly node: VariableDeclarator | FunctionDeclaration | FunctionExpression
  /** What is evaluated: the initializer, or the function. */
  readonly range: Expression | FunctionDeclaration
  /** What the user calls what it declares, and what the emitted module calls it. */
  readonly names: Map<string, string>
  /** What `require` gave in this process, by the user's names. */
  readonly values: Map<string, unknown>
  readonly edits: Edit[]
  /** Needs no captured variable, and may be needed while functions are made: stands in front of them. */
  readonly isEarly: boolean
  usesRequire: boolean
  /** Why the user should be told, or undefined when nothing is lost. */
  reason: string | undefined
}

export class RecreationTable {
  readonly #recreations = new Map<AnyNode, Recreation>()
  readonly #context: CaptureContext

  constructor(context: CaptureContext) {
    this.#context = context
  }

  /** In the order of the source. */
  all(): Recreation[] {
    const order = ({ node }: Recreation) => (node.type === 'FunctionDeclaration' ? -1 : node.start)
    return [...this.#recreations.values()].sort(
      (a, b) => Number(a.script.id) - Number(b.script.id) || order(a) - order(b),
    )
  }

  /** Plans to evaluate a declaration on the worker. Throws CaptureError when its initializer needs what is not there. */
  add(declaration: Declaration, site: CaptureSite): Recreation {
    const node = declaration.node as Recreation['node']
    const known = this.#recreations.get(node)
    if (known !== undefined) return known
    const { script } = site
    const recreation: Recreation = {
      script,
      node,
      range: node.type === 'VariableDeclarator' ? (node.init as Expression) : node,
      names: new Map(Array.from(boundNames(node.id), ({ name }) => [name, name])),
      values: new Map(),
      edits: [],
      isEarly: node.type !== 'FunctionExpression' && (isRequired(declaration) || isPure(declaration)),
      usesRequire: false,
      reason: undefined,
    }
    this.#recreations.set(node, recreation)
    this.#context.undo.add(() => this.#recreations.delete(node))
    this.#editSpecials(recreation, declaration, site.path)
    for (const reference of freeReferences(script.analysis, recreation.range)) {
      const binding = bindName(this.#context, reference, {
        ...site,
        code: undefined,
        isEarly: recreation.isEarly,
      })
      if (binding !== undefined) recreation.edits.push(editOfReference(reference, binding))
    }
    return recreation
  }

  #editSpecials(
    { script, range, edits, ...recreation }: Recreation,
    declaration: Declaration,
    path: Path,
  ): void {
    for (const place of specialPlaces(script.analysis, range)) {
      if (place.kind === 'require()') {
        const [literal] = place.node.arguments
        edits.push({
          start: literal.start,
          end: literal.end,
          text: () => JSON.stringify(emittedSpecifier(script.file, String(literal.value))),
        })
        ;(this.#recreations.get(recreation.node) as Recreation).usesRequire = true
      } else if (place.kind === 'this' && isTypeScriptHelper(declaration)) {
        edits.push({ start: place.start, end: place.end, text: () => 'undefined' })
      } else if (place.kind === 'import()' || place.kind === 'vite-import()') {
        editDynamicImport(this.#context, { script, edits }, place)
      } else if (place.kind === 'import.meta') {
        edits.push({
          start: place.start,
          end: place.end,
          text: () => importMetaText(script.url, script.file),
        })
      } else if (place.kind === 'this' && place.owner.start <= range.start && !isFunctionNode(range)) {
        throw new CaptureError('its initializer uses `this`', path)
      }
    }
  }
}

/** The declaration as it stands in the emitted module. */
export function recreationText({ script, node, range, names, edits }: Recreation): string {
  const { source } = script
  if (node.type === 'FunctionDeclaration') {
    const rename = { start: node.id.start, end: node.id.end, text: () => names.get(node.id.name) as string }
    return applyEdits(source, range, [...edits, rename])
  }
  if (node.type === 'FunctionExpression') {
    const name = (node.id as Identifier).name
    return `const ${names.get(name)} = ${applyEdits(source, range, edits)}`
  }
  const renames = Array.from(boundNames(node.id), ({ name, node: bound, isShorthand }): Edit => {
    const text = () => (isShorthand ? `${name}: ${names.get(name)}` : (names.get(name) as string))
    return { start: bound.start, end: bound.end, text }
  })
  return `const ${applyEdits(source, node.id, renames)} = ${applyEdits(source, range, edits)}`
}
