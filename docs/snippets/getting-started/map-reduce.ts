import { FunctionExecutor } from '@lithops/core'

const orders = [
  { country: 'ES', euros: 20 },
  { country: 'DE', euros: 5 },
  { country: 'ES', euros: 7 },
]
const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)

await using fexec = new FunctionExecutor()
console.log(await fexec.mapReduce((order: { euros: number }) => order.euros, orders, sum, { fanIn: 16 }))

const perCountry = fexec.mapReduce((order: { euros: number }) => order.euros, orders, sum, {
  reduceBy: (order: { country: string }) => order.country,
})
console.log(perCountry.groupKeys, await fexec.getResult(perCountry))
