import { FunctionExecutor, objects } from '@lithops/core'

await using fexec = new FunctionExecutor()
for await (const piece of fexec.partition(objects('./logs', { chunkSize: '1MB' }))) {
  console.log(piece.name, piece.part, piece.totalParts, piece.byteRange)
  for await (const line of piece.lines()) console.log(line)
  break
}
