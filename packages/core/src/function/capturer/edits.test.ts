import { expect, test } from 'vitest'
import { applyEdits, type Edit } from './edits.ts'

const edit = (start: number, end: number, text: string, rest: Partial<Edit> = {}): Edit => ({
  start,
  end,
  text: () => text,
  ...rest,
})
const source = '0123456789'

test('replaces and inserts within a range, and leaves out what is elsewhere or unchanged', () => {
  const edits = [
    edit(5, 6, 'five'),
    edit(2, 2, '<'),
    edit(0, 1, 'zero'),
    edit(3, 4, '3', { isUnchanged: () => true }),
  ]
  expect(applyEdits(source, { start: 1, end: 8 }, edits)).toBe('1<234five67')
})

test('an edit inside another one is dropped', () => {
  expect(applyEdits(source, { start: 0, end: 10 }, [edit(3, 4, 'x'), edit(2, 6, 'all')])).toBe('01all6789')
})

test('what closes stands in front of what opens at the same place', () => {
  const edits = [edit(4, 4, '('), edit(4, 4, ')', { isClosing: true }), edit(4, 5, 'v')]
  expect(applyEdits(source, { start: 0, end: 10 }, edits)).toBe('0123)(v56789')
})
