import { FunctionExecutor } from '@lithops/core'

await using fexec = new FunctionExecutor()
const objects = await fexec.getResult(
  fexec.map(
    (word: string, context) => context.storage.putCloudobject(word.repeat(1_000_000)),
    ['la', 'di', 'da'],
  ),
)
const lengths = await fexec.getResult(
  fexec.map(async (object, context) => (await context.storage.getCloudobject(object)).length, objects),
)
console.log(lengths)
