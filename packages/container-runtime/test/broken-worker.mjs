// The built worker with one mistake (TEST_MISTAKE) in the processes that run its functions.

import { startWorker } from '../dist/worker/start.cjs'

const exit = process.exit.bind(process)

const mistakes = {
  'one environment for all': () => {
    process.env = { ...process.env }
  },
  'logs that belong to nobody': () => {
    console.log = process._rawDebug
  },
  'exits of the whole process': () => {
    process.exit = exit
  },
}

await startWorker(async () => {
  // when the worker has taken over its process, and before its first call
  setTimeout(mistakes[process.env.TEST_MISTAKE])
  return {}
})
