export { FakeGcs, type GcsAccount } from './fake-gcs.ts'
export type { GcsPermission } from './permissions.ts'
