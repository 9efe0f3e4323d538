import { FunctionExecutor } from '@lithops/core'
import { crc32 } from '@node-rs/crc32'

await using fexec = new FunctionExecutor({ backend: 'code_engine' })
const futures = fexec.map((text: string) => crc32(text), ['one', 'two'])
console.log(await fexec.getResult(futures)) // [ 2053932785, 298486374 ]
