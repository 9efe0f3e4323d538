import { Leaf } from './leaf.ts'
import { plant, Tree } from './tree.ts'
const tree = plant()
tree.grow()
tree.grow()
export const cases = [
  { name: 'captured', fn: () => [tree.leaves[1]!.where(), tree.leaves[0] instanceof Leaf, tree.leaves[0]!.tree === tree], expected: ['tree of 2, tree of 0', true, true] },
  { name: 'returned', fn: () => tree, check: (t: any) => { if (!(t instanceof Tree) || t.leaves[0].tree !== t || !(t.leaves[0] instanceof Leaf)) throw new Error('not the tree') } },
]
