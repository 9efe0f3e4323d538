import { afterAll, describe, expect, test } from 'vitest'
import { FunctionExecutor } from '../../src/index.ts'

// What a call sees is what the program saw when it said `map`: nothing that it does afterwards, not even in the same
// line, while the job has not left the process yet.

const fexec = new FunctionExecutor({ backend: 'localhost', localhost: { worker_processes: 1 } })
afterAll(() => fexec.close())

describe('a job sees its captured values as they were at the call', () => {
  test('variables that are set right after', async () => {
    let n = 1
    const first = fexec.map((x: number) => x + n, [10])
    n = 2
    const second = fexec.map((x: number) => x + n, [10])
    n = 3
    expect(await fexec.getResult(first)).toEqual([11])
    expect(await fexec.getResult(second)).toEqual([12])
  })

  test('objects, arrays, maps and bytes that are changed right after', async () => {
    const config = {
      rate: { percent: 21 },
      list: [1, 2],
      seen: new Map([['a', 1]]),
      bytes: new Uint8Array([7]),
    }
    const future = fexec.callAsync(
      () => [config.rate.percent, config.list.length, [...config.seen.keys()].join(), config.bytes[0]],
      0,
    )
    config.rate.percent = 0
    config.list.push(3)
    config.seen.set('b', 2)
    config.bytes[0] = 0
    expect(await future).toEqual([21, 2, 'a', 7])
  })

  test('the this of an arrow function', async () => {
    class Meter {
      unit = 'W'
      read = (x: number) => `${x} ${this.unit}`
    }
    const meter = new Meter()
    const future = fexec.callAsync(meter.read, 1)
    meter.unit = 'kW'
    expect(await future).toBe('1 W')
  })

  test('a loop with one variable', async () => {
    const futures: PromiseLike<number>[] = []
    for (let i = 0; i < 5; i++) futures.push(fexec.callAsync(() => i, 0))
    let j = 0
    for (; j < 5; j++) futures.push(fexec.callAsync(() => j, 0))
    expect(await Promise.all(futures)).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
  })

  test('items that are changed right after', async () => {
    const items = [{ x: 1 }, { x: 2 }]
    const futures = fexec.map((item: { x: number }) => item.x, items)
    items[0]!.x = 100
    items.push({ x: 3 })
    expect(await fexec.getResult(futures)).toEqual([1, 2])
  })
})
