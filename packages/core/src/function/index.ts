export { captureFunction } from './capture-function.ts'
export type { CapturedFunction, CaptureOptions, FunctionBundle } from './captured-function.ts'
