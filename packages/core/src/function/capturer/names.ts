/** Words that cannot be names in strict code. */
const RESERVED_WORDS = new Set(
  'break case catch class const continue debugger default delete do else enum export extends false finally for function if import in instanceof new null return super switch this throw true try typeof var void while with yield let static implements interface package private protected public await async arguments eval'.split(
    ' ',
  ),
)

/** Names that the emitted module uses itself. */
const OWN_NAMES = ['$f', '$h', '$n', '$p', '$r', '$s', '$v', 'undefined', 'require']

/** Gives out the names of the emitted module: the user's own where they are free. */
export class NameAllocator {
  readonly #taken: Set<string>
  readonly #texts: string

  /** `taken` are names that are used as they are; no new name occurs in `texts`, where it could be shadowed. */
  constructor(taken: Iterable<string>, texts: readonly string[]) {
    this.#taken = new Set([...taken, ...OWN_NAMES])
    this.#texts = texts.join('\n')
  }

  allocate(wanted: string): string {
    const base = !/^[A-Za-z_$]/.test(wanted) || RESERVED_WORDS.has(wanted) ? `_${wanted}` : wanted
    let name = base
    for (let i = 1; this.#taken.has(name) || (i > 1 && this.#texts.includes(name)); i++) name = `${base}$${i}`
    this.#taken.add(name)
    return name
  }
}
