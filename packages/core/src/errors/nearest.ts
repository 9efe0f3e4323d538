import { closest, distance } from 'fastest-levenshtein'

/** The choice that a mistyped word most likely means; undefined when none is near. For "did you mean". */
export function nearest(word: string, choices: readonly string[]): string | undefined {
  if (choices.length === 0) return undefined
  const found = closest(word.toLowerCase(), [...choices])
  return distance(word.toLowerCase(), found.toLowerCase()) <= Math.max(2, word.length / 3) ? found : undefined
}
