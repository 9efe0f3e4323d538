export { azureError, azureFaults } from './azure-answers.ts'
export { FaultProxy, type Gate, type SeenRequest } from './fault-proxy.ts'
export {
  answer,
  cutRequest,
  cutResponse,
  delay,
  type Fault,
  type FaultScope,
  loseAnswer,
  refuse,
  skewedClock,
  stall,
} from './faults.ts'
export { gcsError, gcsFaults } from './gcs-answers.ts'
export type { InjectedFault } from './injected-fault.ts'
export { s3Error, s3Faults } from './s3-answers.ts'
export { type Direction, type TcpFault, TcpFaultProxy } from './tcp-fault-proxy.ts'
