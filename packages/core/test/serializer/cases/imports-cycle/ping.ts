import { pong } from './pong.ts'
export function ping(n: number): string { return n === 0 ? 'done' : `ping ${pong(n - 1)}` }
