import { FunctionExecutor } from '@lithops/core'

await using fexec = new FunctionExecutor()
const rate = 1.21
const futures = fexec.map((price: number) => price * rate, [10, 20, 30])
console.log(await fexec.getResult(futures)) // [12.1, 24.2, 36.3], typed number[]

const total = await fexec.mapReduce(
  (price: number) => price * rate,
  [10, 20, 30],
  prices => prices.reduce((a, b) => a + b, 0),
)
console.log(total.toFixed(2)) // 72.60
