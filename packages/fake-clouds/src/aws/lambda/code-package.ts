import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rm, symlink } from 'node:fs/promises'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl'
import { invalidParameter } from './names.ts'

/** Code and layers of a function together. From: "Lambda quotas". */
export const UNZIPPED_LIMIT_BYTES = 250 * 1024 * 1024
const FILE_TYPE = 0o170000
const SYMBOLIC_LINK = 0o120000
const EXECUTABLE = 0o111

/** A zip that was uploaded, for a function or a layer. */
export class CodePackage {
  readonly zip: Buffer
  readonly sha256Base64: string
  readonly unzippedBytes: number

  private constructor(zip: Buffer, unzippedBytes: number) {
    this.zip = zip
    this.sha256Base64 = createHash('sha256').update(zip).digest('base64')
    this.unzippedBytes = unzippedBytes
  }

  /** Checks what Lambda checks when a zip arrives. */
  static async read(zip: Buffer): Promise<CodePackage> {
    if (zip.length === 0) throw invalidParameter('Uploaded file must be a non-empty zip')
    let unzippedBytes = 0
    try {
      await forEachEntry(zip, async entry => {
        unzippedBytes += entry.uncompressedSize
      })
    } catch {
      throw invalidParameter(
        'Could not unzip uploaded file. Please check your file, then try to upload again.',
      )
    }
    if (unzippedBytes === 0) throw invalidParameter('Uploaded file must be a non-empty zip')
    if (unzippedBytes >= UNZIPPED_LIMIT_BYTES) {
      throw invalidParameter(`Unzipped size must be smaller than ${UNZIPPED_LIMIT_BYTES} bytes`)
    }
    return new CodePackage(zip, unzippedBytes)
  }

  /** Lays all files below a folder, over what is there. */
  async unpack(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true })
    await forEachEntry(this.zip, async (entry, open) => {
      const file = path.join(folder, entry.fileName)
      if (entry.fileName.endsWith('/')) return void (await mkdir(file, { recursive: true }))
      await mkdir(path.dirname(file), { recursive: true })
      const mode = entry.externalFileAttributes >>> 16
      if ((mode & FILE_TYPE) === SYMBOLIC_LINK) {
        await rm(file, { force: true })
        await symlink((await buffer(await open())).toString(), file)
        return
      }
      await pipeline(await open(), createWriteStream(file, { mode: mode & EXECUTABLE ? 0o755 : 0o644 }))
    })
  }
}

async function forEachEntry(
  zip: Buffer,
  visit: (entry: Entry, open: () => Promise<Readable>) => Promise<void>,
): Promise<void> {
  const file: ZipFile = await fromBufferPromise(zip)
  for await (const entry of file.eachEntry()) await visit(entry, () => file.openReadStreamPromise(entry))
}
