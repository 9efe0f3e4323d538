// A storage of made-up objects, for what a real one shows badly: how many reads go on at once, and broken reads.
// The module is loaded by the client and by workers, which see its counters in `globalThis.synthetic`.

const counters = (globalThis.synthetic = { open: 0, mostOpen: 0, reads: 0, cuts: 0 })

const lineOf = (key, line) => `${key} line ${line}\n`
const bodyOf = (key, lines) => Buffer.from(Array.from({ length: lines }, (_, i) => lineOf(key, i)).join(''))
const wait = ms => new Promise(resolve => setTimeout(resolve, ms))

/** As core knows its errors across copies of the package; this file has none of its own. */
class StorageError extends Error {
  [Symbol.for('lithops.error')] = 'StorageError'
  code = 'LITHOPS_STORAGE'
  isRetryable = true
  details = {}
}

class SyntheticStorage {
  specVersion = 1
  name = 'synthetic'
  capabilities = { conditionalPut: false, presignedUrls: false, maxKeyBytes: 1024 }
  #config

  constructor(config) {
    this.#config = config
  }

  async #read(key, { range, ifMatch, signal } = {}) {
    if (ifMatch !== undefined && ifMatch !== 'same') throw new StorageError('changed')
    counters.reads++
    counters.open++
    counters.mostOpen = Math.max(counters.mostOpen, counters.open)
    try {
      await wait(this.#config.delay_ms ?? 0)
      signal?.throwIfAborted()
    } finally {
      counters.open--
    }
    return bodyOf(key, this.#config.lines).subarray(range?.start ?? 0, range?.end)
  }

  async getObject(_bucket, key, options) {
    return this.#read(key, options)
  }

  async getObjectStream(_bucket, key, options) {
    const bytes = await this.#read(key, options)
    const { cut_every: cutEvery } = this.#config
    const isCut = cutEvery !== undefined && counters.reads % cutEvery === 0 && bytes.length > 1
    const end = isCut ? bytes.length >> 1 : bytes.length
    const body = (async function* () {
      for (let at = 0; at < end; at += 1000) yield bytes.subarray(at, Math.min(end, at + 1000))
      if (!isCut) return
      counters.cuts++
      throw new StorageError('the connection was cut')
    })()
    return { sizeBytes: bytes.length, etag: 'same', body }
  }

  async headObject(_bucket, key) {
    return { sizeBytes: bodyOf(key, this.#config.lines).length, etag: 'same' }
  }

  async *listObjects(_bucket, prefix = '') {
    if (prefix.startsWith('lithops.jobs/')) return
    for (let i = 0; i < this.#config.keys; i++) {
      const key = `${prefix}${String(i).padStart(6, '0')}`
      yield { key, ...(await this.headObject('', key)) }
    }
  }

  async bucketExists() {
    return true
  }
  async createBucket() {}
  /** Takes what core notes of its jobs, and forgets it. */
  async putObject(_bucket, key) {
    if (!key.startsWith('lithops.jobs/')) throw new Error('made-up objects cannot be written')
    return {}
  }
  async deleteObject() {}
  async deleteObjects() {}
  workerConfig() {
    return this.#config
  }
  client() {}
  async close() {}
}

export const storage = { specVersion: 1, name: 'synthetic', create: config => new SyntheticStorage(config) }
