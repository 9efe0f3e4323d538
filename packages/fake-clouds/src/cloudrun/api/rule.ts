import type { ImageRegistry } from '../../knative/images/image-registry.ts'
import type { Executions } from '../jobs/executions.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { Operations } from '../serving/operations.ts'
import type { Services } from '../serving/services.ts'
import type { CloudLog } from './cloud-log.ts'
import type { SecretStore } from './secret-store.ts'

/** What the rules of the APIs answer from. */
export interface RuleParts {
  readonly services: Services
  readonly jobs: Jobs
  readonly executions: Executions
  readonly operations: Operations
  readonly secrets: SecretStore
  readonly log: CloudLog
  readonly registry: ImageRegistry
  readonly repositories: Set<string>
  readonly parent: string
}

export interface Call {
  /** What stands in the path in the place of the rule's groups. */
  readonly groups: readonly string[]
  readonly query: URLSearchParams
  readonly body: string
}

/** A method of an API. */
export interface Rule {
  readonly method: string
  readonly path: RegExp
  readonly action: string
  readonly permission: string
  readonly answer: (parts: RuleParts, call: Call) => object | Promise<object>
}

export const json = <T>(call: Call) => JSON.parse(call.body || '{}') as T

export const rule = (
  method: string,
  path: string,
  [action, permission]: readonly [string, string],
  answer: Rule['answer'],
): Rule => ({ method, path: new RegExp(`^${path}$`), action, permission, answer })
