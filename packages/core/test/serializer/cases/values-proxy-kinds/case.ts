let asked = 0
const handler = { getPrototypeOf: () => { asked++; return null }, ownKeys: () => { asked++; return [] }, get: (_: object, key: PropertyKey) => (typeof key === 'string' ? `${key}!` : undefined) }
const echo = new Proxy({} as any, handler)
let callable = new Proxy((x: number) => x, {})
callable = callable
let { proxy, revoke } = Proxy.revocable({} as any, {})
revoke()
proxy = proxy
export const cases = [
  { name: 'made again in a const', fn: () => [echo.hey, asked], expected: ['hey!', 0], warns: /'echo' \(declared.*Proxy/ },
  { name: 'made in the function', fn: () => new Proxy({} as any, { get: (_, k) => String(k) }).x, expected: 'x' },
  { name: 'of a function', fn: () => callable(1), fails: /callable cannot be copied because it is a Proxy/ },
  { name: 'revoked', fn: () => proxy.a, fails: /proxy cannot be copied because it is a Proxy/ },
  { name: 'the function itself', fn: callable, fails: /it is a Proxy/ },
]
