type Constructor = new (...args: any[]) => {}
const Timestamped = <T extends Constructor>(Base: T) => class Timestamped extends Base { at = 5; age(now: number) { return now - this.at } }
const Tagged = (tag: string) => <T extends Constructor>(Base: T) => class extends Base { tag = tag; #count = 0; count() { return ++this.#count } }
class Plain { plain = true }
class Both extends Tagged('red')(Timestamped(Plain)) {}
class Other extends Tagged('blue')(Plain) {}
const both = new Both()
both.count()

export const cases = [
  { name: 'instance', fn: () => [both.tag, both.age(8), both.count(), both.plain, both instanceof Plain], expected: ['red', 3, 2, true, true] },
  { name: 'two of one factory', fn: () => [new Both().tag, new Other().tag, new Other() instanceof Both], expected: ['red', 'blue', false] },
]
