import { FunctionExecutor, type ObjectPiece, objects } from '@lithops/core'

const source = objects('s3://bucket/logs/**/*.log', { chunkSize: '64MB' })
const size = async (piece: ObjectPiece) => (await piece.text()).length
const sum = (sizes: number[]) => sizes.reduce((a, b) => a + b, 0)

await using fexec = new FunctionExecutor()
const totals = fexec.mapReduce(size, source, sum, { reduceBy: 'object' })
for await (const total of totals) console.log(totals.keyOf(total), await total.result())
