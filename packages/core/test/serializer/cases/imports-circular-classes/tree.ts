import { Leaf } from './leaf.ts'
export class Tree { leaves: Leaf[] = []; grow() { const leaf = new Leaf(this); this.leaves.push(leaf); return leaf } name() { return `tree of ${this.leaves.length}` } }
export const plant = () => new Tree()
