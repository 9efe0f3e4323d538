/**
 * File names of keys. Any key is legal on any file system, no two keys meet at one name, and a usual key
 * (`folder/file.txt`) is its own path. One segment of a key becomes one name:
 *
 * - Bytes that some file system refuses are `%XX`: `< > : " | ? * \ %` and control characters anywhere, `.` or a space
 *   at the end of a segment (so `..` is `.%2E` and leaves no folder), the first letter of a device name of Windows.
 * - An empty segment (of `a//b`, `/a` and `a/`) is `%_`.
 * - The object `a` and the folder of `a/b` must live side by side. A file's name has a dot, or ends with `%`; a
 *   folder's name has no dot, or ends with `%`. So `a` is the file `a%`, and `v1.0/b.txt` is `v1.0%/b.txt`.
 * - A segment whose name would have more than 200 bytes goes on in a folder that ends with `%+`.
 *
 * Names that end so, or begin with `%` and are no escape, cannot come from a key: `%tmp` is where writes begin.
 */

/** File systems allow 255 bytes in a name; a mark of two bytes has room. */
const MAX_NAME_BYTES = 200

const DEVICE_NAME = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i
const FORBIDDEN = new Set('<>:"|?*\\%')
const DELETE = '\u007f'
const EMPTY = '%_'
const MARK = '%'
const CONTINUED = '%+'

export interface NameOptions {
  /**
   * The file system takes names that differ in case, or in the way an accent is written, for the same one; capital
   * letters and characters outside of ASCII are escaped too. Default: on Windows and macOS.
   */
  readonly foldsNames?: boolean
}

const FOLDS_NAMES = process.platform === 'win32' || process.platform === 'darwin'

/** Path of an object's file below its bucket's folder, as names to be joined. */
export function pathOfKey(key: string, options: NameOptions = {}): string[] {
  const segments = key.split('/')
  const last = segments.pop() as string
  return [
    ...segments.flatMap(segment => namesOf(segment, 'folder', options)),
    ...namesOf(last, 'file', options),
  ]
}

/** Path of the folder that holds the keys beginning with these segments. */
export function pathOfFolder(segments: readonly string[], options: NameOptions = {}): string[] {
  return segments.flatMap(segment => namesOf(segment, 'folder', options))
}

/** What a name found in a folder stands for; undefined when no key has it. */
export function segmentOfName(
  name: string,
  isFolder: boolean,
): { readonly segment: string; readonly continued: boolean } | undefined {
  if (isFolder && name.endsWith(CONTINUED)) {
    const segment = unescapeName(name.slice(0, -CONTINUED.length))
    return segment === undefined ? undefined : { segment, continued: true }
  }
  const isMarked = name.endsWith(MARK)
  const segment = unescapeName(isMarked ? name.slice(0, -MARK.length) : name)
  if (segment === undefined || isMarked !== needsMark(segment, isFolder ? 'folder' : 'file')) return undefined
  return { segment, continued: false }
}

function needsMark(segment: string, kind: 'file' | 'folder'): boolean {
  return segment.includes('.') === (kind === 'folder')
}

function namesOf(segment: string, kind: 'file' | 'folder', options: NameOptions): string[] {
  if (segment === '') return [EMPTY + (needsMark(segment, kind) ? MARK : '')]
  const foldsNames = options.foldsNames ?? FOLDS_NAMES
  const names: string[] = []
  let name = ''
  let nameBytes = 0
  let begin = 0
  let at = 0
  for (const character of segment) {
    const next = at + character.length
    const isLast = next === segment.length
    let piece = mustEscape(character, { isLast, foldsNames }) ? escapeCharacter(character) : character
    if (nameBytes + Buffer.byteLength(piece) > MAX_NAME_BYTES) {
      names.push(name + CONTINUED)
      name = ''
      nameBytes = 0
      begin = at
    }
    if (at === begin && DEVICE_NAME.test(segment.slice(at))) piece = escapeCharacter(character)
    name += piece
    nameBytes += Buffer.byteLength(piece)
    at = next
  }
  return [...names, name + (needsMark(segment.slice(begin), kind) ? MARK : '')]
}

function mustEscape(
  character: string,
  { isLast, foldsNames }: { readonly isLast: boolean; readonly foldsNames: boolean },
): boolean {
  if (character < ' ' || character === DELETE || FORBIDDEN.has(character)) return true
  if (isLast && (character === '.' || character === ' ')) return true
  return foldsNames && (character > '~' || (character >= 'A' && character <= 'Z'))
}

function escapeCharacter(character: string): string {
  let text = ''
  for (const byte of Buffer.from(character)) text += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return text
}

function unescapeName(name: string): string | undefined {
  if (name === EMPTY) return ''
  if (name === '') return undefined
  if (!name.includes('%')) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return undefined
  }
}
