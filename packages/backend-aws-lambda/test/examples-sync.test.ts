import { expect, test } from 'vitest'
import { runExamples } from './examples.ts'

test('all examples run on Lambda, with results that come with replies', { timeout: 180_000 }, async () => {
  expect(await runExamples([], {})).toEqual(new Set(['RequestResponse']))
})
