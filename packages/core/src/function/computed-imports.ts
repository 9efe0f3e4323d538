import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AnyNode } from 'acorn'
import { SerializationError } from '../errors/index.ts'

/** An `import()` of a name that is computed when the function runs. */
export interface ComputedImport {
  /** File that holds it, from which the name is resolved. */
  readonly importer: string | undefined
  /** The fixed parts of a template such as `./locales/${name}.json`; undefined for a name that may be anything. */
  readonly parts: readonly string[] | undefined
}

/** The fixed parts of a computed name, between what is filled in: of a template, or of strings put together with `+`. */
export function partsOfName(node: AnyNode | undefined): string[] | undefined {
  const parts = [...piecesOf(node)].reduce<string[]>(
    (all, piece) => {
      if (piece === undefined) all.push('')
      else all[all.length - 1] += piece
      return all
    },
    [''],
  )
  return isPath(parts[0] as string) ? parts : undefined
}

/** Texts, and undefined for what is filled in. */
function* piecesOf(node: AnyNode | undefined): Generator<string | undefined> {
  if (node?.type === 'TemplateLiteral') {
    for (const [i, { value }] of node.quasis.entries()) {
      if (i > 0) yield* piecesOf(node.expressions[i - 1])
      yield value.cooked ?? ''
    }
  } else if (node?.type === 'BinaryExpression' && node.operator === '+') {
    yield* piecesOf(node.left)
    yield* piecesOf(node.right)
  } else yield node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
}

/** The specifier of the module that the bundler makes for a computed import. */
export function computedSpecifier(parts: readonly string[] | undefined): string {
  return COMPUTED_PREFIX + Buffer.from(JSON.stringify(parts ?? null)).toString('base64url')
}

export function isComputed(specifier: string): boolean {
  return specifier.startsWith(COMPUTED_PREFIX)
}

/** What an import with such a specifier asks for. */
export function computedImportOf(specifier: string, importer: string | undefined): ComputedImport {
  const text = Buffer.from(specifier.slice(COMPUTED_PREFIX.length), 'base64url').toString()
  return { importer, parts: (JSON.parse(text) as string[] | null) ?? undefined }
}

/** A module that the worker may ask for: the name by which the function knows it, and what is bundled. */
export interface Candidate {
  readonly name: string
  readonly specifier: string
}

/** Specifiers of the modules that the bundler makes for computed imports; the rest is what is known of the name. */
const COMPUTED_PREFIX = 'lithops-computed:'

/** A template that fits more files than this is hardly meant for all of them. */
const MAX_CANDIDATES = 500
const MODULE_FILE = /\.([cm]?[jt]sx?|json|node)$/
const DECLARATION_FILE = /\.d\.[cm]?ts$/

/**
 * What a computed import may lead to: the files that fit its template, and the modules of the option `includeModules`.
 * `left` are files that must not be bundled. In the order of their names.
 */
export async function candidatesOf(
  { importer, parts }: ComputedImport,
  { includeModules, left }: { readonly includeModules: readonly string[]; readonly left: readonly string[] },
): Promise<Candidate[]> {
  const folder = importer === undefined ? process.cwd() : path.dirname(importer)
  const found = new Map<string, string>()
  for (const file of parts === undefined ? [] : await filesOf(folder, parts)) {
    const absolute = path.resolve(folder, file)
    if (!left.includes(absolute)) found.set(file, absolute)
  }
  for (const name of includeModules) {
    found.set(name, name)
    if (!isPath(name)) continue
    // named from the working directory, and asked for from the function's file
    const absolute = path.resolve(name)
    for (const alias of [relativeName(folder, absolute), absolute, pathToFileURL(absolute).href]) {
      found.set(alias, absolute)
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, specifier]) => ({ name, specifier }))
}

/** The module whose default export takes the place of `import` in the function. */
export function computedImportModule(candidates: readonly Candidate[]): string {
  const entries = candidates.map(
    ({ name, specifier }) => `${JSON.stringify(name)}: () => import(${JSON.stringify(specifier)})`,
  )
  return `const modules = { __proto__: null, ${entries.join(', ')} };
export default async (name, options) => {
  const known = modules[String(name)];
  if (known !== undefined) return known();
  if (/^(\\.{0,2}[/\\\\]|file:)/.test(name)) {
    throw Object.assign(new Error(\`Cannot find module '\${name}': the function imports it by a name that is computed when it runs, and no such module was bundled. Name the module in the option includeModules.\`), { code: 'ERR_MODULE_NOT_FOUND' });
  }
  return import(name, options);
};
`
}

/** Files whose names, relative to the folder, begin, go on and end as the parts do. */
async function filesOf(folder: string, parts: readonly string[]): Promise<string[]> {
  const [first = ''] = parts
  if (!isPath(first) || path.isAbsolute(first)) return []
  const start = first.slice(0, first.lastIndexOf('/') + 1)
  const pattern = new RegExp(`^${parts.map(escape).join('.+')}$`, 's')
  const found: string[] = []
  for await (const file of walk(path.resolve(folder, start))) {
    const name = relativeName(folder, file)
    if (!pattern.test(name) || !MODULE_FILE.test(name) || DECLARATION_FILE.test(name)) continue
    found.push(name)
    if (found.length > MAX_CANDIDATES) {
      throw new SerializationError(
        `More than ${MAX_CANDIDATES} files fit an import() of '${parts.join('*')}' in ${folder}. Name the modules that the function ` +
          'may import in a folder of their own.',
        { code: 'LITHOPS_BUNDLE' },
      )
    }
  }
  return found
}

/** The files below a folder, but for packages and hidden folders. */
async function* walk(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    const file = path.join(folder, entry.name)
    if (entry.isFile()) yield file
    else if (entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'))
      yield* walk(file)
  }
}

function relativeName(folder: string, file: string): string {
  const name = path.relative(folder, file).replaceAll('\\', '/')
  return name.startsWith('../') ? name : `./${name}`
}

function isPath(name: string): boolean {
  return /^\.{0,2}[/\\]/.test(name) || path.isAbsolute(name)
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
