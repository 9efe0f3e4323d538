import { pipeline, Readable, type Transform } from 'node:stream'
import { nodeZlib } from '../builtins.ts'
import { StorageError } from '../errors/index.ts'
import type { Compression } from './descriptor.ts'

const OUTPUT_BYTES = 256 * 1024

/** The content of compressed bytes. `name` is for the error when they are damaged (code LITHOPS_OBJECT_DAMAGED). */
export async function* decompressed(
  chunks: AsyncIterable<Uint8Array>,
  compression: Compression,
  name: string,
): AsyncGenerator<Buffer, void, undefined> {
  const source = new Source(chunks)
  try {
    if (compression === 'gzip') yield* through(source, nodeZlib().createGunzip({ chunkSize: OUTPUT_BYTES }))
    else yield* zstd(source)
  } catch (error) {
    if (source.hasFailed) throw error
    throw new StorageError(
      `${name} cannot be decompressed as ${compression}: ${(error as Error).message}. If it is not compressed, say so: { compression: 'none' }.`,
      { code: 'LITHOPS_OBJECT_DAMAGED', details: { name, compression }, cause: error },
    )
  }
}

/** Compressed bytes; remembers whether reading them failed, which is no fault of theirs. */
class Source implements AsyncIterable<Uint8Array> {
  hasFailed = false
  isEmpty = true
  readonly #chunks: AsyncIterable<Uint8Array>

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of this.#chunks) {
        this.isEmpty = false
        yield chunk
      }
    } catch (error) {
      this.hasFailed = true
      throw error
    }
  }
}

async function* through(source: Source, transform: Transform): AsyncGenerator<Buffer, void, undefined> {
  // the error arrives at whoever reads `transform`
  pipeline(Readable.from(source, { objectMode: false }), transform, () => {})
  yield* transform as AsyncIterable<Buffer>
}

/** Node has zstd from 22.15 and 23.8 on; the worker may be older. What replaces it does not look at checksums. */
async function* zstd(source: Source): AsyncGenerator<Buffer, void, undefined> {
  const { createZstdDecompress } = nodeZlib() as { createZstdDecompress?: (options: object) => Transform }
  if (createZstdDecompress !== undefined) {
    yield* through(source, createZstdDecompress({ chunkSize: OUTPUT_BYTES }))
    return
  }
  const { Decompress } = await import('fzstd')
  let out: Buffer[] = []
  const decompress = new Decompress(chunk => out.push(Buffer.from(chunk)))
  for await (const chunk of source) {
    decompress.push(chunk)
    const ready = out
    out = []
    yield* ready
  }
  if (source.isEmpty) return
  decompress.push(new Uint8Array(0), true)
  yield* out
}
