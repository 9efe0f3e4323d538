function createClient({ region = 'eu', retries = 3 } = {}) {
  let calls = 0
  const url = (path: string) => `https://${region}/${path}`
  return {
    get(path: string) { calls++; return { url: url(path), calls, retries } },
    with: (more: { region: string }) => createClient({ region: more.region, retries }),
  }
}
const client = createClient({ retries: 5 })
client.get('warm')
function outer(a: number) { return function middle(b: number) { return (c: number) => [a, b, c, outer.name, middle.name] } }
export const cases = [
  { name: 'client object', fn: () => [client.get('x'), client.with({ region: 'us' }).get('y')], expected: [{ url: 'https://eu/x', calls: 2, retries: 5 }, { url: 'https://us/y', calls: 1, retries: 5 }] },
  { name: 'three scopes', fn: outer(1)(2), args: [3], expected: [1, 2, 3, 'outer', 'middle'] },
]
