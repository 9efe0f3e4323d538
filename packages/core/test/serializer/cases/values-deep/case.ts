interface Link { next: Link | null; i: number }
let list: Link | null = null
for (let i = 0; i < 20_000; i++) list = { next: list, i }
let arrays: any = []
for (let i = 0; i < 5_000; i++) arrays = [arrays]
let maps: any = new Map()
for (let i = 0; i < 2_000; i++) maps = new Map([['inner', maps]])
class Node1 { constructor(readonly next: Node1 | null) {} }
let nodes: Node1 | null = null
for (let i = 0; i < 3_000; i++) nodes = new Node1(nodes)
export const cases = [
  { name: 'linked list', fn: () => { let n = 0; for (let link = list; link; link = link.next) n += link.i === 19_999 - n ? 1 : 0; return n }, expected: 20_000 },
  { name: 'arrays in arrays', fn: () => { let n = 0; for (let a = arrays; a.length; a = a[0]) n++; return n }, expected: 5_000 },
  { name: 'maps in maps', fn: () => { let n = 0; for (let m = maps; m.size; m = m.get('inner')) n++; return n }, expected: 2_000 },
  { name: 'instances', fn: () => { let n = 0; for (let x = nodes; x; x = x.next) n += x instanceof Node1 ? 1 : 0; return n }, expected: 3_000 },
]
