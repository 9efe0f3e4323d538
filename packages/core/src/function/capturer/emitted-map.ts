import { magicString, remapping } from '../lazy-modules.ts'
import { contains } from '../source/syntax.ts'
import { effectiveEdits } from './edits.ts'
import type { FunctionEntry, FunctionSource } from './function-entry.ts'

/** How the emitted module is called in its own map. */
const MODULE_NAME = 'function.mjs'

/** The source map from an emitted module to what the user wrote. Made only when a worker's error needs it. */
export function mapEmittedModule(text: string, entries: readonly FunctionEntry[]): object {
  const { Bundle, default: MagicString } = magicString()
  const bundle = new Bundle({ separator: '' })
  let position = 0
  const sources = entries.flatMap(({ source }) => (source === undefined || source.isSloppy ? [] : source))
  for (const source of sources) {
    const piece = editedPiece(source)
    const body = piece.toString()
    const at = text.indexOf(body, position)
    if (at < 0) continue
    bundle.addSource({ content: new MagicString(text.slice(position, at)) })
    bundle.addSource({ filename: nameOf(source), content: piece })
    position = at + body.length
  }
  bundle.addSource({ content: new MagicString(text.slice(position)) })
  const map = bundle.generateMap({ hires: 'boundary', includeContent: false, file: MODULE_NAME })
  return remapping()(map as never, (file, context) => {
    if (context.depth > 1) return null
    const source = sources.find(one => nameOf(one).endsWith(file.replace(/^(\.\.\/)+/, '')))
    return (source?.script.sourceMap as never) ?? null
  })
}

/** The text of one function as emitted, with its origin. */
function editedPiece({ script, code, edits }: FunctionSource) {
  const { default: MagicString } = magicString()
  const start = code.form === 'method' ? code.node.start : code.start
  const range = { start, end: code.end }
  const piece = new MagicString(script.source, { filename: script.file ?? script.url })
  for (const edit of effectiveEdits(
    edits.filter(one => contains(range, one)),
    range,
  )) {
    const text = edit.text()
    if (edit.end > edit.start) piece.update(edit.start, edit.end, text || ' ')
    else piece.appendRight(edit.start, text)
  }
  return piece.snip(range.start, range.end)
}

function nameOf({ script }: FunctionSource): string {
  return script.file ?? script.url
}
