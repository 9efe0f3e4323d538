enum Color { Red, Green = 5 }
enum Level { Low = 'low', High = 'high' }
const enum Flag { A = 1, B = 2 }
namespace Geometry {
  export const scale = 2
  export const area = (n: number) => n * n * scale
  export namespace Deep { export const name = 'deep' }
}
interface Item { readonly id: number }
type Wrapped<T> = { value: T }
abstract class Repo<T extends Item> {
  protected items: T[] = []
  add(item: T): this { this.items.push(item); return this }
  abstract find(id: number): T | undefined
}
class Memory extends Repo<Item> {
  constructor(private readonly label: string, public declare_: number = 1) { super() }
  find(id: number) { return this.items.find(item => item.id === id) }
  title = () => `${this.label}:${this.items.length}`
}
const repo = new Memory('m').add({ id: 1 })
function overloaded(x: string): string
function overloaded(x: number): number
function overloaded(x: any) { return x }

export const cases = [
  { name: 'enums', fn: () => [Color.Red, Color.Green, Color[5], Level.High, Flag.A | Flag.B], expected: [0, 5, 'Green', 'high', 3] },
  { name: 'namespaces', fn: () => [Geometry.area(3), Geometry.Deep.name], expected: [18, 'deep'] },
  { name: 'classes', fn: () => [repo.find(1), (repo as Memory).title()], expected: [{ id: 1 }, 'm:1'] },
  { name: 'generics and satisfies', fn: <T,>(x: T) => ({ value: x }) satisfies Wrapped<T>, args: [1], expected: { value: 1 } },
  { name: 'overloads, assertions', fn: () => overloaded(2 as number)! + (<any>overloaded('3') as string), expected: '23' },
  { name: 'optional chaining', fn: (o?: any) => [o?.a?.b ?? 42, o?.['x']?.(), (o ??= { z: 1 }).z], expected: [42, undefined, 1] },
]
