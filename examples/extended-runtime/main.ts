import { FunctionExecutor } from '@lithops/core'
import { priceOf } from './prices.ts'

// with a config that names the extended runtime and the function, no code is sent; with any other, it is: nothing here changes
await using fexec = new FunctionExecutor()
const articles = [
  { kind: 'books', price: 10 },
  { kind: 'tools', price: 20 },
  { kind: 'seeds', price: 30 },
]
console.log((await fexec.getResult(fexec.map(priceOf, articles))).join('\n'))
