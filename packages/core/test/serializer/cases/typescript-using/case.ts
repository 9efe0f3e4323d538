const order: string[] = []
const resource = (name: string) => ({ name, [Symbol.dispose]() { order.push(`close ${name}`) } })
const later = (name: string) => ({ async [Symbol.asyncDispose]() { order.push(`async ${name}`) } })
export const fn = async () => {
  {
    using a = resource('a')
    await using b = later('b')
    order.push(`use ${a.name}`, typeof b)
  }
  return order
}
export const expected = ['use a', 'object', 'async b', 'close a']
