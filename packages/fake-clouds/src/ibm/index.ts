export { FakeIam } from './iam.ts'
