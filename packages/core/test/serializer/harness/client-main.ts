// A user's process: loads programs as the user would run them, and captures their functions.
import type { CaseRequest } from './protocol.ts'
import { closeWorker, runProgram } from './run-program.ts'

let queue: Promise<unknown> = Promise.resolve()
process.on('message', (request: CaseRequest) => {
  queue = queue.then(async () => process.send!(await runProgram(request)))
})
process.on('disconnect', () => {
  closeWorker()
  process.exit(0)
})
