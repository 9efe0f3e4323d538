import { expectTypeOf } from 'vitest'
import type {
  CallContext,
  CallHandle,
  FunctionExecutor,
  FuturesList,
  FuturesStream,
  GroupedFutures,
  ResponseFuture,
  WaitResult,
} from '../../src/index.ts'

// Checked by `pnpm typecheck`: what an executor's methods infer from the user's function. Nothing here is run.

declare const fexec: FunctionExecutor

interface Order {
  readonly price: number
}
declare const orders: Order[]
declare const priceOf: (order: Order) => number
declare const asyncPriceOf: (order: Order) => Promise<number>

// callAsync: the value, awaited
expectTypeOf(fexec.callAsync(priceOf, { price: 1 })).toEqualTypeOf<ResponseFuture<number>>()
expectTypeOf(fexec.callAsync(asyncPriceOf, { price: 1 })).toEqualTypeOf<ResponseFuture<number>>()
expectTypeOf(fexec.callAsync((x: string) => x.length, 'a').result()).resolves.toEqualTypeOf<number>()
expectTypeOf(fexec.callAsync(Math.sqrt, 16)).toEqualTypeOf<ResponseFuture<number>>()
expectTypeOf(fexec.callAsync(() => {}, 0)).toEqualTypeOf<ResponseFuture<void>>()
expectTypeOf<Awaited<ResponseFuture<number>>>().toEqualTypeOf<number>()

// the item's type may come from the function or from the data
fexec.callAsync(
  (order, context) => {
    expectTypeOf(order).toEqualTypeOf<{ price: number }>()
    expectTypeOf(context).toEqualTypeOf<CallContext>()
  },
  { price: 1 },
)
fexec.map((order, context) => {
  expectTypeOf(order).toEqualTypeOf<Order>()
  expectTypeOf(context).toEqualTypeOf<CallContext>()
}, orders)

// map: a list where the number of items is known, a stream where it is not
expectTypeOf(fexec.map(priceOf, orders)).toEqualTypeOf<FuturesList<number>>()
expectTypeOf(fexec.map(priceOf, new Set<Order>())).toEqualTypeOf<FuturesList<number>>()
expectTypeOf(fexec.map(priceOf, orders.values())).toEqualTypeOf<FuturesStream<number>>()
expectTypeOf(fexec.map(priceOf, {} as AsyncIterable<Order>)).toEqualTypeOf<FuturesStream<number>>()
expectTypeOf(fexec.map((x: 'a' | 'b') => x, ['a', 'b'])).toEqualTypeOf<FuturesList<'a' | 'b'>>()

// chaining: the futures of one job are items of the next
expectTypeOf(fexec.map((price: number) => `${price}`, fexec.map(priceOf, orders))).toEqualTypeOf<
  FuturesList<string>
>()
expectTypeOf(fexec.map((price: number) => `${price}`, fexec.map(priceOf, orders.values()))).toEqualTypeOf<
  FuturesStream<string>
>()
expectTypeOf(
  fexec.callAsync((price: number) => `${price}`, fexec.callAsync(priceOf, { price: 1 })),
).toEqualTypeOf<ResponseFuture<string>>()

// results
expectTypeOf(fexec.getResult(fexec.map(priceOf, orders))).resolves.toEqualTypeOf<number[]>()
expectTypeOf(fexec.getResult(fexec.map(priceOf, orders.values()))).resolves.toEqualTypeOf<number[]>()
expectTypeOf(fexec.getResult(fexec.callAsync(priceOf, { price: 1 }))).resolves.toEqualTypeOf<number>()
expectTypeOf(fexec.getResult()).resolves.toEqualTypeOf<unknown[]>()
expectTypeOf(fexec.getResult(fexec.map(priceOf, orders), { throwExcept: false })).resolves.toEqualTypeOf<
  (number | undefined)[]
>()
expectTypeOf(fexec.wait(fexec.map(priceOf, orders))).resolves.toEqualTypeOf<WaitResult<number>>()

async function iterating() {
  for await (const future of fexec.map(priceOf, orders)) {
    expectTypeOf(future).toEqualTypeOf<CallHandle<number>>()
    expectTypeOf(await future.result({ throwExcept: false })).toEqualTypeOf<number | undefined>()
  }
}
void iterating

// mapReduce: the reducer gets what the map gives
expectTypeOf(fexec.mapReduce(asyncPriceOf, orders, prices => prices.length > 0)).toEqualTypeOf<
  ResponseFuture<boolean>
>()
fexec.mapReduce(asyncPriceOf, orders, (prices, context) => {
  expectTypeOf(prices).toEqualTypeOf<number[]>()
  expectTypeOf(context).toEqualTypeOf<CallContext>()
})
const grouped = fexec.mapReduce(priceOf, orders, prices => prices.length, {
  reduceBy: order => {
    expectTypeOf(order).toEqualTypeOf<Order>()
    return order.price > 10
  },
})
expectTypeOf(grouped).toEqualTypeOf<GroupedFutures<boolean, number>>()

// extra arguments come between item and context
fexec.map(
  (_order: Order, rate, name, context) => {
    expectTypeOf(rate).toEqualTypeOf<1.21>()
    expectTypeOf(name).toEqualTypeOf<'vat'>()
    expectTypeOf(context).toEqualTypeOf<CallContext>()
  },
  orders,
  { extraArgs: [1.21, 'vat'] },
)

// what must not compile
// @ts-expect-error the function takes another kind of item
fexec.map((x: string) => x, [1, 2])
// @ts-expect-error the function takes another kind of value
fexec.callAsync((x: string) => x, 5)
// @ts-expect-error a single value is no list of items
fexec.map(priceOf, { price: 1 })
// @ts-expect-error the reducer does not take what the map gives
fexec.mapReduce(priceOf, orders, (names: string[]) => names.length)
// @ts-expect-error an option that is not there
fexec.map(priceOf, orders, { chunkSize: 3 })
// @ts-expect-error the extra argument is a number for the function
fexec.map((order: Order, rate: number) => order.price * rate, orders, { extraArgs: ['1.21'] })
