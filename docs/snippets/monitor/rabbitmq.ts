import { FunctionExecutor } from '@lithops/core'

await using fexec = new FunctionExecutor({ storage: 'storageless', monitoring: 'rabbitmq' })
const futures = fexec.map(async (n: number) => n ** 2, [1, 2, 3])
console.log(await fexec.getResult(futures)) // [1, 4, 9], with no storage anywhere
