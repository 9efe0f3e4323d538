import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { CaptureError } from '../capturer/capture-error.ts'
import { InspectorSession, type ScriptFacts } from '../inspector/inspector-session.ts'
import { traceMapping } from '../lazy-modules.ts'
import { analyzeScript, type CodeNode, type ScriptAnalysis } from './analyze.ts'
import { firstFrom } from './references.ts'

/** Function nodes around an offset that may be the one that V8 means: methods are reported within their node. */
const NEIGHBOURS = 40

/** A script that V8 runs, with what its text says. */
export class Script {
  readonly id: string
  readonly url: string
  readonly isModule: boolean
  /** The script's file, or undefined, e.g. for code made by `new Function`. */
  readonly file: string | undefined
  readonly #facts: ScriptFacts
  #source: string | undefined
  #analysis: ScriptAnalysis | undefined
  #lineStarts: readonly number[] | undefined
  #sourceMap: string | false | undefined

  constructor(facts: ScriptFacts) {
    this.#facts = facts
    this.id = facts.scriptId
    this.url = facts.url
    this.isModule = facts.isModule === true
    this.file = fileOf(facts.url)
  }

  get source(): string {
    this.#source ??= InspectorSession.get().sourceOf(this.id)
    return this.#source
  }

  get analysis(): ScriptAnalysis {
    this.#analysis ??= analyzeScript(this.source, { isModule: this.isModule })
    return this.#analysis
  }

  get isInNodeModules(): boolean {
    return this.file !== undefined && /[\\/]node_modules[\\/]/.test(this.file)
  }

  get isInternal(): boolean {
    return this.url.startsWith('node:')
  }

  /** Offset in the text of a position as V8 gives it, from 0. */
  offsetOf(line: number, column: number): number {
    const { startLine, startColumn } = this.#facts
    const lineInText = line - startLine
    return (this.#lines[lineInText] ?? 0) + column - (lineInText === 0 ? startColumn : 0)
  }

  /** Line and column of an offset, from 1. */
  positionOf(offset: number): { line: number; column: number } {
    const line = lastAtOrBefore(this.#lines, offset)
    return { line: line + 1, column: offset - (this.#lines[line] as number) + 1 }
  }

  /** 'file:line:column' of an offset, in what the user wrote when the script has a source map. */
  placeOf(offset: number): string {
    const { line, column } = this.positionOf(offset)
    return this.#originalPlace(line, column) ?? `${this.file ?? this.url}:${line}:${column}`
  }

  /** The functions and classes near an offset, and those around it: a class is reported where its constructor is. */
  codeNodesNear(offset: number): CodeNode[] {
    const { codeNodes } = this.analysis
    const next = firstFrom(codeNodes, offset + 1)
    const near = codeNodes.slice(Math.max(next - NEIGHBOURS, 0), next + 2).reverse()
    const around: CodeNode[] = []
    for (let code = codeNodes[next - 1]; code !== undefined; code = code.outer) {
      if (!near.includes(code)) around.push(code)
    }
    return [...near, ...around]
  }

  /** Text of the script's source map, or undefined. */
  get sourceMap(): string | undefined {
    this.#sourceMap ??= this.#readSourceMap() ?? false
    return this.#sourceMap || undefined
  }

  get #lines(): readonly number[] {
    this.#lineStarts ??= lineStartsOf(this.source)
    return this.#lineStarts
  }

  #originalPlace(line: number, column: number): string | undefined {
    try {
      if (this.sourceMap === undefined) return undefined
      const { TraceMap, originalPositionFor } = traceMapping()
      const found = originalPositionFor(new TraceMap(this.sourceMap, this.file), { line, column: column - 1 })
      if (found.source === null) return undefined
      const file = found.source.startsWith('file:') ? fileURLToPath(found.source) : found.source
      return `${path.isAbsolute(file) ? file : this.file}:${found.line}:${found.column + 1}`
    } catch {
      return undefined // a broken map is no reason to fail
    }
  }

  #readSourceMap(): string | undefined {
    const { sourceMapURL: url } = this.#facts
    if (!url) return undefined
    if (url.startsWith('data:')) return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64').toString()
    if (this.file === undefined) return undefined
    const file = path.resolve(path.dirname(this.file), url)
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined
  }
}

const scripts = new Map<string, Script>()

/** The script with an id of V8's. */
export function scriptById(id: string): Script {
  let script = scripts.get(id)
  if (script === undefined) {
    const facts = InspectorSession.get().scriptFacts(id)
    if (facts === undefined) throw new CaptureError(`its script (${id}) is not known to V8`, [])
    script = new Script(facts)
    scripts.set(id, script)
  }
  return script
}

function fileOf(url: string): string | undefined {
  if (url.startsWith('file:')) return fileURLToPath(url.replace(/[?#].*$/, ''))
  return path.isAbsolute(url) ? url : undefined
}

function lineStartsOf(text: string): number[] {
  const starts = [0]
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  return starts
}

/** Index of the last number that is not greater; 0 if all are. */
function lastAtOrBefore(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((sorted[middle] as number) <= value) low = middle
    else high = middle - 1
  }
  return low
}
