class Table {
  static rows = new Map([['a', 1]])
  static n = 2
  static get dynamic() { return this.n }
  static #cache = ['warm']
  static cache() { return Table.#cache }
}
Table.n = 10
Table.cache().push('more')
class Sub extends Table {}

export const fn = () => [Table.rows.get('a'), Table.n, Table.dynamic, Sub.n, Object.hasOwn(Sub, 'n'), Table.cache()]
export const expected = [1, 10, 10, 10, false, ['warm', 'more']]
