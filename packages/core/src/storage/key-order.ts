/**
 * Compares two keys by the bytes of their UTF-8 form, which is the order of a listing. JavaScript compares UTF-16
 * units, where characters beyond U+FFFF come before U+E000 to U+FFFF; UTF-8 has them last.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000
}
