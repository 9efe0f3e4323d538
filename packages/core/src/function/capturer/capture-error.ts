import type { Path } from '../../codec/refusal.ts'

/** A part of a function cannot travel. `path` leads from the function to the part. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError'
  readonly path: Path
  /** The variable that leads to the part, with its place in the source. Added on the way out. */
  where: string | undefined

  constructor(why: string, path: Path) {
    super(why)
    this.path = path
  }

  /** The whole message for the user. */
  explain(functionName: string): string {
    const path = formatCapturePath(this.path)
    const where = this.where === undefined ? '' : `.\n  ${this.where}`
    return `Cannot send function '${functionName}' to a worker: ${path || functionName} cannot be copied because ${this.message}${where}`
  }
}

/** 'app.stores[1].socket → <extends>': keys, and words in angle brackets for ways that are no keys. */
function formatCapturePath(path: Path): string {
  return path
    .map((part, i) => {
      if (typeof part === 'symbol') return `[${String(part)}]`
      if (typeof part === 'number') return `[${part}]`
      if (part.startsWith('.')) return part
      if (part.startsWith('<')) return ` → ${part}`
      return i === 0 ? part : `.${part}`
    })
    .join('')
}
