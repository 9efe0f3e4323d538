import { FunctionExecutor } from '@lithops/core'

await using fexec = new FunctionExecutor({ backend: 'code_engine' })
const rate = 1.21
const futures = fexec.map((price: number) => price * rate, [10, 20, 30])
console.log(await fexec.getResult(futures)) // [ 12.1, 24.2, 36.3 ]
