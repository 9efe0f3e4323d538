import { expect } from 'vitest'
import { imagePath, userKey } from '../src/names.ts'
import { batchesOf, carried, extending, pushesOf, WORDS } from './extending.ts'

const there = extending()

there.test(
  'a map of another function than the runtime has is an error, before anything is sent',
  async () => {
    const cloud = await there.start()
    const { filepath } = await there.program('ahead')
    const other = await there.program('another')
    await using extending = await there.open()
    const [extended] = await extending.runtimes.extend({ name: 'default', filepath, function: 'scale' })
    cloud.clear()
    const serverless = { map_func_mod: other.filepath, map_func: 'scale' }
    await using jobs = await there.open({ runtime: extended?.name }, serverless)
    await expect(jobs.getResult(jobs.map(other.scale, [1]))).rejects.toMatchObject({
      code: 'LITHOPS_CONFIG',
      message: expect.stringMatching(/does not have the function 'scale' as it is now.*runtime extend/s),
    })
    expect(batchesOf(cloud)).toEqual([])
  },
)

there.test('runtime_include_function: two programs at once make one image, and send no code', async () => {
  const cloud = await there.start()
  const { scale } = await there.program('by-itself')
  const before = pushesOf(cloud, imagePath(userKey('tester'))).length
  const programs = await Promise.all([1, 2].map(() => there.open({ runtime_include_function: true })))
  const results = await Promise.all(programs.map(fexec => fexec.getResult(fexec.map(scale, [3]))))
  expect(results).toEqual(Array(2).fill([[`${WORDS} by-itself`, 15]]))
  expect(pushesOf(cloud, imagePath(userKey('tester'))).length - before).toBe(1)
  expect([batchesOf(cloud).length, carried(cloud)]).toEqual([2, 0])
  await Promise.all(programs.map(fexec => fexec.close()))
})
