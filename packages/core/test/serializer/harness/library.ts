export { captureFunction, decodeValue, encodeValue, exported } from './product.ts'
export { Remote, ship, stop } from './remote.ts'
export { closeWorker, runCases, runProgram } from './run-program.ts'
