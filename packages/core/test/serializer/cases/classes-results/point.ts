export class Point {
  constructor(readonly x: number, readonly y: number) {}
  length() { return Math.hypot(this.x, this.y) }
}
