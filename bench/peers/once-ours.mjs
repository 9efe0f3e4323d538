// A whole program of ours: one call, then the end.
import { FunctionExecutor } from '@lithops/core'

const fexec = new FunctionExecutor({ backend: 'localhost' })
const future = fexec.callAsync(x => x + 1, 1)
console.log(await future.result())
await fexec.close()
