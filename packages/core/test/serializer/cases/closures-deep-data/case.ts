let list: any = null
for (let i = 0; i < 2_000; i++) list = { next: list, i }
export const fn = () => { let n = 0; for (let node = list; node; node = node.next) n++; return n }
export const expected = 2_000
