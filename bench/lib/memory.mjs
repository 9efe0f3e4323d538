const SAMPLE_EVERY_MS = 20

/** Runs `work` and gives its value with the largest resident memory of this process meanwhile, in MiB. */
export async function watchingMemory(work) {
  let peak = 0
  const watch = () => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  const timer = setInterval(watch, SAMPLE_EVERY_MS)
  try {
    const value = await work()
    watch()
    return { value, rssMiB: peak / 2 ** 20 }
  } finally {
    clearInterval(timer)
  }
}

/** 150 MB, in MiB: what the client of a job over large data may have. */
export const CLIENT_TARGET_MIB = 150e6 / 2 ** 20
