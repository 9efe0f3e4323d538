/** The global object of the realm that made an object: another one in `node:vm` and in vitest's vm pools. */
export function realmOf(value: object): typeof globalThis {
  let root: object = value
  for (let next = Object.getPrototypeOf(root); next !== null; next = Object.getPrototypeOf(root)) root = next
  try {
    return (root.constructor.constructor as FunctionConstructor)('return globalThis')()
  } catch {
    return globalThis
  }
}
