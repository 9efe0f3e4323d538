import { FunctionExecutor } from '@lithops/core'

async function* numbers() {
  for (let i = 0; i < 10_000; i++) yield i
}

await using fexec = new FunctionExecutor()
let sum = 0
for await (const future of fexec.map((x: number) => x % 7, numbers())) sum += await future.result()
console.log(sum)
