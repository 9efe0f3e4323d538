let count = 0
export const increment = () => ++count
export const registry = new Map<string, number>([['initial', 0]])
export const register = (name: string) => registry.set(name, registry.size)
