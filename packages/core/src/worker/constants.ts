/**
 * What a process has to know that speaks for workers and is none: it loads nothing of theirs.
 *
 * @packageDocumentation
 */

export { TIMEOUT_MARK } from '../driver/worker-marks.ts'
export { PROTOCOL_VERSION } from './protocol.ts'
