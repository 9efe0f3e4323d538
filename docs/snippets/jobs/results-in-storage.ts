import { FunctionExecutor } from '@lithops/core'

await using fexec = new FunctionExecutor()
const pages = fexec.map((n: number) => 'x'.repeat(n * 1_000_000), [1, 2, 3], { results: 'storage' })
await fexec.wait(pages)
console.log((await pages[0]?.result())?.length) // reads this one, and no other
const lengths = fexec.map((text: string) => text.length, pages) // read by the workers alone
console.log(await fexec.getResult(lengths))
