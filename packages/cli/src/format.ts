const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** E.g. '812 B', '1.5 GiB'. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}

/** A key as one line: control characters, which could move the cursor of a terminal, as JSON writes them. */
export function formatKey(key: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
  return /[\u0000-\u001f\u007f-\u009f]/.test(key)
    ? JSON.stringify(key).replace(
        /[\u007f-\u009f]/g,
        c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
    : key
}

/** 'object', '3 objects'. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
