import { createHash } from 'node:crypto'

const PREFIX = 'lithops-ts'
const HASH_CHARACTERS = 10
const USER_CHARACTERS = 10
const USER_HASH_CHARACTERS = 4

/** Part of names that tells users apart: what is legible of the name, and some of its hash. */
export function userKey(userName: string): string {
  const legible = slug(userName).slice(0, USER_CHARACTERS).replace(/-$/, '')
  return [legible, hashOf(userName).slice(0, USER_HASH_CHARACTERS)].filter(part => part !== '').join('-')
}

/** What everything of this tool and a user begins with; see `userKey`. */
export function prefixOf(user: string): string {
  return `${PREFIX}-${user}-`
}

/** Ten hexadecimal digits of what JSON makes of it. */
export function shortHash(content: unknown): string {
  return hashOf(content).slice(0, HASH_CHARACTERS)
}

/**
 * The name of what a platform deploys for a runtime: `lithops-ts-alice-2bd8-default-512-0123456789`. The last part is the hash of
 * all that makes it what it is, so that what has a name is always the same, and any number of programs share it. It has
 * lower-case letters, digits and '-' alone, begins with a letter and does not end with '-'.
 *
 * @param user see `userKey`
 * @param content plain JSON: the image by its digest, the settings
 * @param characters how long the platform lets it be; no less than 50
 */
export function workerName(
  user: string,
  runtime: { readonly name: string; readonly memoryMiB: number },
  { content, characters }: { readonly content: unknown; readonly characters: number },
): string {
  const head = prefixOf(user)
  const tail = `${runtime.memoryMiB}-${shortHash(content)}`
  const room = characters - head.length - tail.length - 1
  const middle = slug(runtime.name.replace(/^.*\//, '')).slice(0, room).replace(/-$/, '')
  return `${head}${middle === '' ? '' : `${middle}-`}${tail}`
}

/** Text that names of most platforms may have. */
function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

function hashOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}
