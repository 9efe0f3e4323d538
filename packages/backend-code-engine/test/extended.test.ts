import { expect } from 'vitest'
import { batchesOf, carried, extending, pushesOf, WORDS } from './extending.ts'

const there = extending()

there.test('two clients extend a runtime at once: it is built once, and its jobs carry no code', async () => {
  const cloud = await there.start()
  const { filepath, scale } = await there.program('ahead')
  await using sending = await there.open()
  expect(await sending.getResult(sending.map(scale, [1, 2]))).toEqual([
    [`${WORDS} ahead`, 5],
    [`${WORDS} ahead`, 10],
  ])
  expect(carried(cloud)).toBe(1)
  const [sent = Buffer.alloc(0)] = batchesOf(cloud)

  await using one = await there.open()
  await using other = await there.open()
  const extended = await Promise.all(
    [one, other].map(fexec => fexec.runtimes.extend({ name: 'default', filepath, function: 'scale' })),
  )
  const [[first], [second]] = extended as [(typeof extended)[0], (typeof extended)[0]]
  expect(second?.name).toBe(first?.name)
  expect([first?.isBuilt, second?.isBuilt].sort()).toEqual([false, true])
  expect(pushesOf(cloud, 'lithops_runtime')).toHaveLength(2) // the function over the base, and the worker over that
  expect(first?.functions).toEqual([first?.function.hash])

  cloud.clear()
  const runtime = first?.name
  await using jobs = await there.open({ runtime }, { map_func_mod: filepath, map_func: 'scale' })
  expect(await jobs.getResult(jobs.map(scale, [1, 2]))).toEqual([
    [`${WORDS} ahead`, 5],
    [`${WORDS} ahead`, 10],
  ])
  expect(batchesOf(cloud)).toHaveLength(1)
  expect(carried(cloud)).toBe(0)
  const [bare = Buffer.alloc(0)] = batchesOf(cloud)
  // each of the two activations had the code
  expect(sent.length - bare.length).toBeGreaterThan(2 * WORDS.length)
  // the second program of the user asks for nothing again
  expect(cloud.runs).toHaveLength(1)
})
