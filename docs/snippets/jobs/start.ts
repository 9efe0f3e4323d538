import { FunctionExecutor } from '@lithops/core'

await using fexec = new FunctionExecutor()
const futures = fexec.map((n: number) => n ** 2, [1, 2, 3], { durable: true })
const [first] = futures
console.log(`${first?.executorId}-${first?.jobId}`) // a1b2c3-0-M000: the key of the job
