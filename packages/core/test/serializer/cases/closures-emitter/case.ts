import { EventEmitter } from 'node:events'
const log: string[] = []
class Store extends EventEmitter { state = { n: 0 }; dispatch(n: number) { this.state = { n: this.state.n + n }; this.emit('change', this.state) } }
const store = new Store()
store.on('change', state => log.push(`n=${state.n}`))
store.dispatch(2)
const plain = { handlers: new Map<string, Set<Function>>(), on(e: string, f: Function) { if (!this.handlers.has(e)) this.handlers.set(e, new Set()); this.handlers.get(e)!.add(f) }, emit(e: string, x: unknown) { for (const f of this.handlers.get(e) ?? []) f(x) } }
plain.on('x', (x: unknown) => log.push(`x=${x}`))

export const cases = [
  { name: 'class with listeners', fn: () => { store.dispatch(3); return [log, store.listenerCount('change')] }, expected: [['n=2', 'n=5'], 1] },
  { name: 'by hand', fn: () => { plain.emit('x', 1); return log.at(-1) }, expected: 'x=1' },
]
