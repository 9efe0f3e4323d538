class Base {
  hello() {
    return 'base'
  }
}
class Derived extends Base {
  arrow() {
    return () => super.hello()
  }
  constructorArrow: () => unknown
  constructor() {
    super()
    this.constructorArrow = () => new.target
  }
}
export const cases = [
  { name: 'super', fn: new Derived().arrow(), fails: /super.*case\.ts:\d+:\d+/s },
  { name: 'new.target', fn: new Derived().constructorArrow, fails: /new\.target.*case\.ts:\d+:\d+/s },
]
