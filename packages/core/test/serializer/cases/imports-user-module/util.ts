export const K = 42
export let live = 1
export const bump = () => { live++ }
export default function dflt(x: number) { return x * 2 }
export class Point {
  constructor(public x: number, public y: number) {}
  len() { return Math.hypot(this.x, this.y) }
  static origin() { return new Point(0, 0) }
}
export function helper(a: number) { return a + K + hidden() }
function hidden() { return 100 }
export { hidden as hiddenFn }
