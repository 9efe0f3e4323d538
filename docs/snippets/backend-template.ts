import { FunctionExecutor } from '@lithops/core'

await using fexec = new FunctionExecutor({ backend: 'tiny' })
console.log(await fexec.getResult(fexec.map((x: number) => x * 2, [1, 2, 3])))
