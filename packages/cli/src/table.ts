import Table from 'cli-table3'

/** A table for people; without colours, so that it reads the same in a file. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new Table({ head: [...head], style: { head: [], border: [] } })
  made.push(...rows.map(row => [...row]))
  return made.toString()
}
