import { customAlphabet, nanoid } from 'nanoid'
const short = customAlphabet('ab', 4)
export const cases = [
  { name: 'nanoid', fn: () => nanoid(12).length, expected: 12 },
  { name: 'made by a factory', fn: () => /^[ab]{4}$/.test(short()), expected: true, warns: /short/ },
]
