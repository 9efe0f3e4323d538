export const K: number = 42
export let live = 1
export default function dflt(x: number): number {
  return x * 2
}
export class Point {
  x: number
  y: number
  constructor(x: number, y: number) {
    this.x = x
    this.y = y
  }
  len(): number {
    return Math.hypot(this.x, this.y)
  }
}
export function helper(a: number): number {
  return a + K + hidden()
}
function hidden(): number {
  return 100
}
export type T = { a: number }
