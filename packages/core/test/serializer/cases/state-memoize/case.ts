function memoize<A, R>(compute: (a: A) => R) {
  const known = new Map<A, R>()
  const memoized = (a: A): R => {
    if (!known.has(a)) known.set(a, compute(a))
    return known.get(a)!
  }
  return Object.assign(memoized, { size: () => known.size })
}
let computed = 0
const square = memoize((x: number) => { computed++; return x * x })
square(3)
square(3)

export const fn = () => [square(3), square(4), square.size(), computed]
export const expected = [9, 16, 2, 2]
