import { exported, FunctionExecutor } from '@lithops/core'
import { resize } from './resize.ts'

await using fexec = new FunctionExecutor()
const futures = fexec.map(exported(resize, new URL('./resize.ts', import.meta.url)), [10, 20])
console.log(await fexec.getResult(futures))
