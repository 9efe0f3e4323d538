import { FunctionExecutor } from '@lithops/core'

await using fexec = new FunctionExecutor()
const rate = 1.21
const futures = fexec.map((price: number) => price * rate, [10, 20, 30])
console.log(await fexec.getResult(futures))
