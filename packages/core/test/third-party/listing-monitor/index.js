import { setTimeout } from 'node:timers/promises'

/**
 * A way home of one's own for the client's half: the workers' half is core's publisher to the job's storage, which writes
 * objects below lithops.jobs/<executor>/<job>/status/.
 */
class ListingMonitor {
  specVersion = 1
  name = 'listing'
  #storage
  #pauseMs
  #isClosed = false

  constructor(storage, pauseMs) {
    this.#storage = storage
    this.#pauseMs = pauseMs
  }

  async *watch({ executorId, jobId }, { signal }) {
    const { backend, bucket } = this.#storage
    const seen = new Set()
    while (!signal.aborted && !this.#isClosed) {
      for await (const { key } of backend.listObjects(
        bucket,
        `lithops.jobs/${executorId}/${jobId}/status/`,
      )) {
        if (seen.has(key)) continue
        seen.add(key)
        yield backend.getObject(bucket, key)
      }
      await setTimeout(this.#pauseMs, undefined, { signal }).catch(() => {})
    }
    process.emit('listing-monitor:seen', seen.size)
  }

  async publisherAddress() {
    const { backend, bucket } = this.#storage
    await backend.createBucket(bucket)
    return { kind: 'storage', storage: backend.name, config: backend.workerConfig(), bucket }
  }

  async forget({ executorId, jobId }) {
    const { backend, bucket } = this.#storage
    for await (const { key } of backend.listObjects(bucket, `lithops.jobs/${executorId}/${jobId}/status/`)) {
      await backend.deleteObject(bucket, key)
    }
  }

  async close() {
    this.#isClosed = true
  }
}

export const monitor = {
  specVersion: 1,
  name: 'listing',
  create: ({ pause_ms = 10 }, { storage }) => new ListingMonitor(storage, pause_ms),
}
