import { join } from 'node:path'

/** A program of the repository, and what it prints. */
export interface Program {
  /** From the root of the repository. */
  readonly file: string
  /** Those that begin with `ROOT` are paths of the repository. Default: none. */
  readonly args?: readonly string[]
  readonly prints: RegExp
  /** It is run once more after its function was put into a runtime, which its config then names. */
  readonly extended?: { readonly filepath: string; readonly function: string }
}

/** Stands for the root of the repository in arguments. */
export const ROOT = '<root>'

const snippet = (name: string) => join('docs', 'snippets', name)

/** What every backend runs, with nothing but the packages and a config file. */
export const PROGRAMS: readonly Program[] = [
  {
    file: join('examples', 'word-count', 'main.ts'),
    // the workers of stand-ins see the files of this machine
    args: [join(ROOT, 'docs')],
    prints: /The totals are those of one process alone\.$/,
  },
  {
    file: join('examples', 'extended-runtime', 'main.ts'),
    prints: /^[0-9a-f]{6}: 10\.40\n[0-9a-f]{6}: 24\.20\n[0-9a-f]{6}: 30\.00$/,
    extended: { filepath: join('examples', 'extended-runtime', 'prices.ts'), function: 'priceOf' },
  },
  { file: snippet('readme.ts'), prints: /^\[ 12\.1, 24\.2, 36\.3 \]\n72\.60$/ },
  { file: snippet('getting-started/first-map.ts'), prints: /^\[ 12\.1, 24\.2, 36\.3 \]$/ },
  { file: snippet('getting-started/context.ts'), prints: /^Hello World! This is attempt 0\.$/ },
  { file: snippet('getting-started/errors.ts'), prints: /^true article 42\ntrue$/ },
  {
    file: snippet('getting-started/futures.ts'),
    // in the order in which they end: instances of a batch begin when the platform lets them
    prints:
      /^(?=[\s\S]*^20 \d.* waiting 20 ms$)(?=[\s\S]*^100 \d.* waiting 100 ms$)[\s\S]*^300 \d.* waiting 300 ms$/m,
  },
  { file: snippet('getting-started/map-reduce.ts'), prints: /^32\n\[ 'ES', 'DE' \] \[ 27, 5 \]$/ },
]
