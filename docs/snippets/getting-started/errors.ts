import { CallTimeoutError, FunctionExecutor } from '@lithops/core'

class OutOfStock extends Error {}

await using fexec = new FunctionExecutor()
try {
  await fexec.callAsync((id: number) => {
    throw new OutOfStock(`article ${id}`)
  }, 42)
} catch (error) {
  console.log(error instanceof OutOfStock, (error as Error).message)
}

const endless = fexec.callAsync(
  () => {
    for (;;);
  },
  0,
  { timeoutMs: 200 },
)
await endless.catch(error => console.log(error instanceof CallTimeoutError))
