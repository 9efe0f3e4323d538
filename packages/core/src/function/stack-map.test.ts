import path from 'node:path'
import { expect, test } from 'vitest'
import { StackMap } from './stack-map.ts'

const hash = '0123456789abcdef0123456789abcdef'
/** Everything is at 7:3 of a file. */
const mapTo = (source: string) => ({ version: 3, sources: [source], names: [], mappings: 'AAME' })
const mapped = (stack: string, source: string) =>
  new StackMap(() => mapTo(source)).map(stack, hash, () => undefined)

test.each([
  ['/tmp/cache', 'at f (/tmp/cache/'],
  ['a URL', 'at f (file:///tmp/cache/'],
  ['a folder of Windows', 'at f (C:\\Users\\ann\\cache\\'],
  ['a URL of Windows', 'at f (file:///C:/Users/ann/cache/'],
])('a frame of the bundle below %s gets its place in the source', (_, start) => {
  expect(mapped(`Error: x\n    ${start}${hash}.mjs:1:1)`, '/home/ann/job.ts')).toBe(
    'Error: x\n    at f (/home/ann/job.ts:7:3)',
  )
})

test('sources beside the working directory become absolute, URLs stay', () => {
  const stack = `    at ${path.sep}x${path.sep}${hash}.mjs:1:1`
  expect(mapped(stack, 'src/job.ts')).toBe(`    at ${path.resolve('src/job.ts')}:7:3`)
  expect(mapped(stack, 'file:///C:/src/job.ts')).toBe('    at file:///C:/src/job.ts:7:3')
})

test('other frames, and stacks without a map, stay as they are', () => {
  expect(mapped('    at /x/other.mjs:1:1', '/job.ts')).toBe('    at /x/other.mjs:1:1')
  const stack = `    at /x/${hash}.mjs:1:1`
  expect(new StackMap(() => undefined).map(stack, hash, () => '{')).toBe(stack)
})
