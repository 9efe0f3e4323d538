export type { RbacRole, RbacRule } from './api/accounts.ts'
export type { SeenKubeRequest } from './api/kube-server.ts'
export { FakeKnative, STAND_IN_TOOL } from './fake-knative.ts'
export {
  type InjectedKnativeFault,
  type KnativeFault,
  type KnativeFaultScope,
  knativeFaults,
} from './faults.ts'
export { ImageRegistry } from './images/image-registry.ts'
export type { FakeKnativeOptions, KnativeCluster, KnativeQuota, KnativeTiming } from './options.ts'
export type { SeenServiceRequest } from './serving/gateway.ts'
