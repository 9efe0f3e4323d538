import { FunctionExecutor } from '@lithops/core'

await using fexec = new FunctionExecutor()
const futures = fexec.map(
  async (ms: number) => {
    console.log(`waiting ${ms} ms`)
    await new Promise(resolve => setTimeout(resolve, ms))
    return ms
  },
  [300, 20, 100],
)

// in the order in which the calls end
for await (const future of futures) {
  console.log(await future.result(), future.stats.durationMs, future.logs)
}
