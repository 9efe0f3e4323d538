import Table from 'cli-table3'

/** Runs something, and tells how long it took. */
export async function timed<T>(run: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const began = performance.now()
  const value = await run()
  return { value, ms: performance.now() - began }
}

export const seconds = (ms: number): string => (ms / 1000).toFixed(2)

export const whole = (value: number): string => value.toLocaleString('en')

/** Prints a table: the first column to the left, the others, which are numbers, to the right. */
export function print(head: string[], rows: readonly (readonly (string | number)[])[]): void {
  const aligned = head.map((_, i) => (i === 0 ? 'left' : 'right')) as ('left' | 'right')[]
  const table = new Table({ head, colAligns: aligned, style: { head: [], border: [], compact: true } })
  table.push(...rows.map(row => row.map(cell => (typeof cell === 'number' ? whole(cell) : cell))))
  console.log(`${table.toString()}\n`)
}
