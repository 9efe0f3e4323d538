import { base } from './case.ts'
export const helper = () => base + 1
