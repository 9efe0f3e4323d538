/** Lines of UTF-8 text, without their ends '\n' or '\r\n'; what follows the last one is a line if it is not empty. */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  // parts of one line that came in several pieces: joined once, whatever their number
  let begun: string[] = []
  for await (const piece of pieces) {
    const parts = decoder.decode(piece, { stream: true }).split('\n')
    const last = parts.pop() as string
    for (const part of parts) {
      const line = begun.length === 0 ? part : begun.join('') + part
      begun = []
      yield withoutReturn(line)
    }
    if (last !== '') begun.push(last)
  }
  const end = begun.join('') + decoder.decode()
  if (end !== '') yield end
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
