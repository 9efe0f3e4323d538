import { ping } from './ping.ts'
export const fn = (n: number) => ping(n)
export const args = [4]
export const expected = 'ping pong ping pong done'
