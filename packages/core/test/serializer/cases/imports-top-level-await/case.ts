import { ready, answer } from './ready.ts'
const own = await Promise.resolve(7)
export const fn = () => [ready, answer(), own]
export const expected = ['ready', 42, 7]
