import { FunctionExecutor } from '@lithops/core'

await using fexec = new FunctionExecutor()
const greeting = await fexec.callAsync(
  (name: string, mark: string, context) => `Hello ${name}${mark} This is attempt ${context.attempt}.`,
  'World',
  { extraArgs: ['!'], timeoutMs: 5_000 },
)
console.log(greeting)
