import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AnyNode, Comment } from 'acorn'
import { atBodyStart, privateSetter, revivalGuards } from './capturer/class-source.ts'
import type { Edit } from './capturer/edits.ts'
import type { RevivedImport } from './capturer/private-state.ts'
import { acorn, magicString, remapping } from './lazy-modules.ts'
import { type ClassNode, childrenOf, isClassNode, privateFieldNames } from './source/syntax.ts'

/** How bundled classes tell the worker how their private fields are set (worker/instantiate.ts). */
const REVIVAL = 'globalThis[Symbol.for("lithops:revival")]'

interface Bundle {
  readonly code: string
  readonly sourceMap: string
}

/** Where the text of a module stands in a bundle. */
interface Section {
  readonly start: number
  readonly file: string
}

/**
 * Gives bundled modules what bundling took from them: `import.meta` is that of the module's own file on the client,
 * as in the function itself; and classes whose instances travelled with private fields let them be made. `files` are
 * the bundle's inputs, relative to the folder `namedFrom`, as esbuild names them.
 */
export function patchBundle(
  bundle: Bundle,
  {
    files,
    namedFrom,
    revivedImports,
  }: {
    readonly files: readonly string[]
    readonly namedFrom: string
    readonly revivedImports: readonly RevivedImport[]
  },
): Bundle {
  const { code } = bundle
  if (revivedImports.length === 0 && !code.includes('import.meta', code.indexOf('\n// '))) return bundle
  const comments: Comment[] = []
  const ast = acorn().parse(code, { ecmaVersion: 'latest', sourceType: 'module', onComment: comments })
  const sections = sectionsOf(comments, new Set(files), namedFrom)
  const edits: Edit[] = []
  collectEdits(ast, sections, revivedImports, edits)
  if (edits.length === 0) return bundle
  const { default: MagicString } = magicString()
  const text = new MagicString(code)
  for (const edit of edits) {
    if (edit.end > edit.start) text.update(edit.start, edit.end, edit.text())
    else if (edit.isClosing) text.appendLeft(edit.start, edit.text())
    else text.appendRight(edit.start, edit.text())
  }
  const map = text.generateMap({ hires: 'boundary', source: 'bundle.mjs' })
  const composed = remapping()([map as never, bundle.sourceMap as never], () => null)
  return { code: text.toString(), sourceMap: JSON.stringify(composed) }
}

/** esbuild writes a module's path as a comment above its text. */
function sectionsOf(comments: readonly Comment[], files: ReadonlySet<string>, namedFrom: string): Section[] {
  return comments.flatMap(({ value, end }) => {
    const name = value.trim()
    return files.has(name) ? { start: end, file: path.resolve(namedFrom, name) } : []
  })
}

function fileAt(sections: readonly Section[], offset: number): string | undefined {
  return sections.findLast(({ start }) => start <= offset)?.file
}

function collectEdits(
  node: AnyNode,
  sections: readonly Section[],
  revivedImports: readonly RevivedImport[],
  edits: Edit[],
): void {
  if (node.type === 'MetaProperty' && node.meta.name === 'import') {
    const file = fileAt(sections, node.start)
    // what stands above all modules is the bundle's own
    if (file !== undefined) edits.push({ start: node.start, end: node.end, text: () => importMetaOf(file) })
    return
  }
  if (isClassNode(node)) {
    const file = fileAt(sections, node.start)
    if (revivedImports.some(revived => revived.file === file && isSameClass(node, revived))) {
      edits.push(...revivalEdits(node))
    }
  }
  for (const child of childrenOf(node)) collectEdits(child, sections, revivedImports, edits)
}

function importMetaOf(file: string): string {
  const meta = { url: pathToFileURL(file).href, filename: file, dirname: path.dirname(file) }
  return `(${JSON.stringify(meta)})`
}

/** Classes keep their names as `static { __name(this, "Name") }` when esbuild has renamed them. */
function isSameClass(node: ClassNode, { className, privateNames }: RevivedImport): boolean {
  const names = privateFieldNames(node, { isStatic: false })
  if (names.length !== privateNames.length || names.some(name => !privateNames.includes(name))) return false
  return node.id?.name === className || keptNameOf(node) === className
}

function keptNameOf(node: ClassNode): string | undefined {
  for (const member of node.body.body) {
    if (member.type !== 'StaticBlock') continue
    for (const statement of member.body) {
      const call = statement.type === 'ExpressionStatement' ? statement.expression : undefined
      if (call?.type !== 'CallExpression' || call.callee.type !== 'Identifier') continue
      const name = call.arguments[1]
      if (call.callee.name.startsWith('__name') && name?.type === 'Literal') return String(name.value)
    }
  }
  return undefined
}

function revivalEdits(node: ClassNode): Edit[] {
  const names = privateFieldNames(node, { isStatic: false })
  const setter = `static { ${REVIVAL}?.setters.set(this, ${privateSetter(names)}) }`
  return [...revivalGuards(node, `${REVIVAL}?.isOn`), atBodyStart(node, setter)]
}
