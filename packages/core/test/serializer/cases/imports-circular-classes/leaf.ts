import { plant, Tree } from './tree.ts'
export class Leaf { constructor(public tree: Tree) {} where() { return this.tree instanceof Tree ? `${this.tree.name()}, ${plant().name()}` : 'nowhere' } }
