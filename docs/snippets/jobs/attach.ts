import { FunctionExecutor } from '@lithops/core'

await using job = await FunctionExecutor.attach<number>('a1b2c3-0-M000')
console.log(job.info.functionName, job.info.calls)
console.log(await job.getResult()) // [1, 4, 9], in the order of the items
