/** Area of a square thumbnail. */
export function resize(width: number): number {
  return width ** 2
}
