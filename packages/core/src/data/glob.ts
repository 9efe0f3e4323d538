import { importPicomatch } from '../lazy-imports.ts'

/** What makes a key a pattern. */
const SPECIAL = /[*?[{]/

/** Whether a key of a source is a pattern and not the key of one object. */
export function isPattern(text: string): boolean {
  return SPECIAL.test(text)
}

/** The part of a pattern that all its matches begin with: where listing begins. */
export function literalPrefix(pattern: string): string {
  const at = pattern.search(/[*?[{\\]/)
  return at < 0 ? pattern : pattern.slice(0, at)
}

/**
 * Tests keys: `*` and `?` stay within a segment, `**` goes over any number of them, `[a-c]` and `{a,b}` as in a shell,
 * a backslash takes away the meaning of what follows. Names that begin with a dot match as all others do.
 */
export async function matcher(pattern: string): Promise<(key: string) => boolean> {
  // loaded when first needed: importing the package stays cheap
  const { default: picomatch } = await importPicomatch()
  return picomatch(pattern, {
    dot: true,
    nonegate: true,
    noextglob: true,
    windows: false,
    strictSlashes: true,
  })
}
