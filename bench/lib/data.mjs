import { createWriteStream, existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'

/** What the cases read is made once, always the same, and stays here. */
const folder = fileURLToPath(new URL('../../.cache/bench-data/', import.meta.url))

const WORDS = 5000
const LINES_AT_ONCE = 2000
const WRITES_AT_ONCE = 64

/** Numbers from 0 to 1, the same in every run. */
function sequence(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return state / 0x7fffffff
  }
}

/** A file of lines of 5 to 19 words, common ones more often. Returns its path. */
export async function wordsFile(bytes) {
  const path = join(folder, `words-${bytes}.txt`)
  if (existsSync(path)) return path
  mkdirSync(folder, { recursive: true })
  const random = sequence(1)
  const words = Array.from({ length: WORDS }, (_, i) => `w${((i * 7919) % 99991).toString(36)}`)
  const word = () => words[Math.floor(random() * random() * WORDS)]
  const draft = `${path}.${process.pid}`
  const out = createWriteStream(draft)
  for (let written = 0; written < bytes; ) {
    const lines = Array.from({ length: LINES_AT_ONCE }, () =>
      Array.from({ length: 5 + Math.floor(random() * 15) }, word).join(' '),
    )
    const text = `${lines.join('\n')}\n`.slice(0, bytes - written)
    written += text.length
    if (!out.write(text)) await new Promise(resolve => out.once('drain', resolve))
  }
  out.end()
  await finished(out)
  if (statSync(draft).size !== bytes) throw new Error(`${draft} has not ${bytes} bytes`)
  renameSync(draft, path)
  return path
}

/** A folder of the localhost storage with so many objects below `prefix/` in the bucket `data`; returns the folder. */
export async function storageOfKeys(count, objectBytes) {
  const root = join(folder, `keys-${count}-${objectBytes}`)
  const mark = join(root, 'complete')
  if (existsSync(mark)) return root
  const { Storage } = await import('@lithops/core')
  const storage = new Storage({
    backend: 'localhost',
    config: { localhost: { storage_folder: root } },
    bucket: 'data',
  })
  await storage.createBucket()
  const body = Buffer.alloc(objectBytes, 'x')
  const keys = Array.from(
    { length: count },
    (_, i) => `prefix/${i % 100}/${String(i).padStart(7, '0')}`,
  ).values()
  await Promise.all(
    Array.from({ length: WRITES_AT_ONCE }, async () => {
      for (const key of keys) await storage.put(key, body)
    }),
  )
  await storage.close()
  await mkdir(root, { recursive: true })
  await writeFile(mark, '')
  return root
}
