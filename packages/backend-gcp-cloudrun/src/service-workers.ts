import { RuntimeDeployError } from '@lithops/core/driver'
import { isSecret } from './config.ts'
import type { Deployer, EnsureOptions } from './deployer.ts'
import type { KnownRuntime, Workers } from './deployments.ts'
import type { Invocations } from './invocations.ts'
import type { RuntimePlan } from './objects.ts'
import type { RunService } from './resource-api.ts'

/** Workers that are instances of services. */
export class ServiceWorkers implements Workers {
  readonly #deployer: Deployer<RunService>
  readonly #invocations: Invocations

  constructor(deployer: Deployer<RunService>, invocations: Invocations) {
    this.#deployer = deployer
    this.#invocations = invocations
  }

  async ensure(plan: RuntimePlan, options: EnsureOptions): Promise<KnownRuntime> {
    const { uri } = await this.#deployer.ensure(plan, options)
    const url = checked(uri ?? '')
    const metadata = await this.#invocations.metadata(plan.name, url, options.signal)
    return { metadata, url }
  }
}

/** Tokens go there. */
function checked(uri: string): string {
  if (URL.canParse(uri) && isSecret(new URL(uri))) return new URL(uri).origin
  throw new RuntimeDeployError(`Cloud Run says that the service is at '${uri}', which is no https:// URL.`)
}
