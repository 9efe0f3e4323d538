import { createRequire } from 'node:module'
import type { GraphNode } from '../../codec/graph.ts'
import { readVariable, type ScopeObject, type SourceFacts } from '../inspector/inspect-function.ts'
import { locate } from '../source/locate.ts'
import { importOfVite, specifierOfVite, VITE_EXPORTS } from '../source/runner-idioms.ts'
import type { Script } from '../source/script.ts'
import type { CaptureContext } from './context.ts'

/** Vite's exports stand near the beginning of what it wrote. */
const VITE_HEAD_CHARACTERS = 400

const modules = createRequire(import.meta.url).cache

/** The node of a function that its module exports, so that the worker imports it; undefined when it is not exported. */
export function nodeOfExport(
  context: CaptureContext,
  fn: Function,
  script: Script,
  facts: SourceFacts,
): GraphNode | undefined {
  if (script.file === undefined) return undefined
  const isModule = script.isModule || VITE_EXPORTS.test(script.source.slice(0, VITE_HEAD_CHARACTERS))
  return isModule
    ? nodeOfModuleExport(context, fn, script, script.file, facts)
    : nodeOfCommonJsExport(context, fn, script.file)
}

function nodeOfModuleExport(
  { imports, known }: CaptureContext,
  fn: Function,
  { analysis }: Script,
  file: string,
  facts: SourceFacts,
): GraphNode | undefined {
  for (const [local, exported] of analysis.exports) {
    if (facts.scopes.some(scope => Object.hasOwn(scope, local) && readVariable(scope, local) === fn)) {
      const root = imports.add({ importer: file, specifier: file, imported: exported }, local)
      return known.importNode(root, [], fn)
    }
  }
  return undefined
}

function nodeOfCommonJsExport(
  { imports, known }: CaptureContext,
  fn: Function,
  file: string,
): GraphNode | undefined {
  const exports: unknown = modules?.[file]?.exports
  const whole = { importer: file, specifier: file, imported: '*', isRequired: true }
  if (exports === fn) return known.importNode(imports.add(whole, fn.name || 'module'), [], fn)
  if ((typeof exports !== 'object' && typeof exports !== 'function') || exports === null) return undefined
  const name = Object.keys(exports).find(key => {
    const property = Object.getOwnPropertyDescriptor(exports, key)
    if (property !== undefined && 'value' in property) return property.value === fn
    // compilers export through getters; those of others may do anything
    return '__esModule' in exports && readVariable(exports as ScopeObject, key) === fn
  })
  return name === undefined ? undefined : known.importNode(imports.add(whole, 'module'), [name], fn)
}

/**
 * The node of a module's namespace object: it is known by an import that holds it, in a script whose functions are
 * captured, or else by its exported functions.
 */
export function nodeOfNamespace(
  context: CaptureContext,
  namespace: object,
  factsByScript: ReadonlyMap<Script, SourceFacts>,
): GraphNode | undefined {
  for (const [script, facts] of factsByScript) {
    for (const declaration of script.analysis.root.declarations.values()) {
      const { kind, imported, name } = declaration
      const id = importOfVite(declaration)
      const isWhole = (kind === 'import' && imported === '*') || id !== undefined
      if (
        !isWhole ||
        !facts.scopes.some(scope => Object.hasOwn(scope, name) && readVariable(scope, name) === namespace)
      ) {
        continue
      }
      const specifier = id === undefined ? (declaration.source as string) : specifierOfVite(id)
      const root = context.imports.add({ importer: script.file, specifier, imported: '*' }, name)
      return context.known.importNode(root)
    }
  }
  const file = fileOfNamespace(namespace as Readonly<Record<string, unknown>>)
  if (file === undefined) return undefined
  const root = context.imports.add({ importer: file, specifier: file, imported: '*' }, 'module')
  return context.known.importNode(root)
}

/** The file of a module, by the place of a function in it, if that module exports what the namespace has and no more. */
function fileOfNamespace(namespace: Readonly<Record<string, unknown>>): string | undefined {
  const names = Object.keys(namespace)
  for (const name of names) {
    const value = readVariable(namespace, name)
    const script = typeof value === 'function' ? locate(value)?.script : undefined
    if (script?.file === undefined || !script.isModule) continue
    const exported = new Set(script.analysis.exports.values())
    if (exported.size === names.length && names.every(one => exported.has(one))) return script.file
  }
  return undefined
}
