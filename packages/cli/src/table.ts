/** A table for people: without colours, so that it reads the same in a file, and without columns that are empty. */
export async function table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<string> {
  const { default: Table } = await import('cli-table3')
  const used = head.map((title, i) => title !== '' || rows.some(row => row[i] !== ''))
  const kept = (cells: readonly string[]) => cells.filter((_, i) => used[i])
  const made = new Table({ head: kept(head), style: { head: [], border: [], compact: true } })
  made.push(...rows.map(kept))
  return made.toString()
}
