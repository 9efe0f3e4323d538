/** A key of a listing that was asked for with EncodingType url: '+' is a blank there, and a plus sign is '%2B'. */
export function decodeListed(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '))
}

/** Whether XML 1.0 has all of its characters, so that it can stand in a request's body. */
export function isInXml(key: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML lacks
  return !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(key)
}

/** For the header that names the source of a copy. */
export function copySource(bucket: string, key: string): string {
  return `${bucket}/${encodeURIComponent(key)}`
}

export function* batches<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}

/** From: MinIO, where each segment is the name of a folder. */
const MAX_SEGMENT_BYTES = 255

/** What keeps a key from being a path of files; undefined when nothing does. */
export function flawOfPath(key: string): string | undefined {
  const segments = key.replace(/\/$/, '').split('/')
  for (const segment of segments) {
    if (segment === '') return "a key must not begin with a slash or have '//'"
    if (segment === '.' || segment === '..') return `a key must not have the segment '${segment}'`
    const bytes = Buffer.byteLength(segment)
    if (bytes > MAX_SEGMENT_BYTES) return `a segment has ${bytes} bytes, more than ${MAX_SEGMENT_BYTES}`
  }
  return undefined
}
