export type { SeenApiRequest } from './api-server.ts'
export type { SeenActivation } from './applications.ts'
export { FakeCodeEngine } from './fake-code-engine.ts'
export {
  type CodeEngineFault,
  type CodeEngineFaultScope,
  codeEngineFaults,
  type InjectedCodeEngineFault,
} from './faults.ts'
export type { CodeEngineQuotas, CodeEngineTiming, FakeCodeEngineOptions } from './options.ts'
export type { ResourceKind } from './resource-store.ts'
