function Maker(this: any) {
  this.made = new.target === Maker
}
class Shape {
  kind: string
  constructor() {
    this.kind = new.target.name
  }
}
class Circle extends Shape {}

export const cases = [
  { name: 'in a captured function', fn: () => new (Maker as any)().made, expected: true },
  { name: 'in a class', fn: () => [new Shape().kind, new Circle().kind], expected: ['Shape', 'Circle'] },
  { name: 'its own', fn: function () { return new.target === undefined }, expected: true },
]
