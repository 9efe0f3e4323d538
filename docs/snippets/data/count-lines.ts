import { FunctionExecutor, type ObjectPiece, objects } from '@lithops/core'

async function count(piece: ObjectPiece) {
  let lines = 0
  for await (const line of piece.lines()) if (line.includes('ERROR')) lines++
  return lines
}
const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0)

await using fexec = new FunctionExecutor()
console.log(await fexec.mapReduce(count, objects('s3://bucket/big.log', { chunkSize: '64MB' }), sum))
