let chain: (x: number) => number = x => x
for (let i = 0; i < 500; i++) {
  const inner = chain
  chain = x => inner(x) + 1
}
export const fn = chain
export const args = [0]
export const expected = 500
