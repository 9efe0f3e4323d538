import { csv, FunctionExecutor, jsonLines, parquet } from '@lithops/core'

interface Visit {
  readonly user: string
  readonly ms: number
}

await using fexec = new FunctionExecutor()

const trips = csv('s3://bucket/trips/*.csv', {
  chunkSize: '64MB',
  columns: { id: 'string', started: 'date', km: 'number?' },
})
const kilometres = fexec.map(async piece => {
  let total = 0
  for await (const { km } of piece.rows()) total += km ?? 0 // km: number | undefined
  return total
}, trips)

const visits = jsonLines<Visit>('s3://bucket/visits/', { chunkSize: '64MB' })
const slow = fexec.map(async piece => {
  let count = 0
  for await (const rows of piece.rowBatches()) count += rows.filter(visit => visit.ms > 1000).length
  return count
}, visits)

const prices = parquet<{ price: number }>('s3://bucket/prices.parquet', { columns: ['price'] })
const highest = fexec.map(async piece => {
  let max = Number.NEGATIVE_INFINITY
  for await (const { price } of piece.rows()) max = Math.max(max, price)
  return max
}, prices)

console.log(await fexec.getResult(kilometres), await fexec.getResult(slow), await fexec.getResult(highest))
