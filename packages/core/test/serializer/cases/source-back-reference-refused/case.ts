import { helper } from './helper.ts'
export const base = 1
// The helper imports this very file: its bundle would run this program again on the worker.
export const fn = () => helper() + base
export const fails = /case\.ts/
