import { randomBytes } from 'node:crypto'
import { ACCESS_KEY_VARIABLE } from '@lithops/container-runtime'
import { type DriverLog, pause, RuntimeDeployError } from '@lithops/core/driver'
import type { ApplicationCalls } from './application-calls.ts'
import type { CodeEngineSettings } from './config.ts'
import {
  checkSize,
  type Deployer,
  type EnsureOptions,
  type ReadyRuntime,
  type RuntimePlan,
  secretVariable,
} from './deployments.ts'
import { isPullFailure } from './index-ends.ts'
import { ACTIVE_INSTANCES } from './limits.ts'
import { accessSecretName } from './names.ts'
import type { ProjectApi } from './project.ts'
import type { Application, Variable } from './resources.ts'
import { ensureSecret } from './secrets.ts'
import { hasStatus } from './vendor-errors.ts'

const PORT = 8080
/** A new version of the secrets makes a new revision of the application, which sees them. */
const SECRETS_VERSION_VARIABLE = 'LITHOPS_SECRETS_VERSION'
const ACCESS_KEY_BYTES = 32
const CHANGE_ATTEMPTS = 6
const FIRST_LOOK_MS = 300
const LONGEST_LOOK_MS = 3_000
/** The platform itself gives a revision up after some minutes. */
const READY_MS = 660_000

export interface ApplicationDeployerOptions {
  readonly project: ProjectApi
  readonly settings: CodeEngineSettings
  readonly applications: ApplicationCalls
  readonly log: DriverLog
}

/**
 * Makes applications, together with any number of other programs that do the same. Everybody on the internet may reach them: they
 * answer only who has the key that lies in a secret of the project.
 */
export class ApplicationDeployer implements Deployer {
  readonly #options: ApplicationDeployerOptions

  constructor(options: ApplicationDeployerOptions) {
    this.#options = options
  }

  async ensure(plan: RuntimePlan, { known, secretsVersion, signal }: EnsureOptions): Promise<ReadyRuntime> {
    const accessKey = await this.#accessKey(plan.name, signal)
    if (known !== undefined && secretsVersion === undefined) return { ...known, accessKey }
    const { project } = this.#options
    const { application, isNew } = await this.#make(plan, secretsVersion, signal)
    try {
      const url = await this.#waitUntilReady(application, plan.image, signal)
      const metadata = await this.#options.applications.metadata(url, { accessKey, signal })
      return { metadata, url, accessKey }
    } catch (error) {
      // what was made here and does not become ready goes again: the next use finds nothing broken
      if (isNew && signal?.aborted !== true) await project.remove('apps', plan.name).catch(() => {})
      throw error
    }
  }

  async #accessKey(name: string, signal: AbortSignal | undefined): Promise<string> {
    const { data } = await ensureSecret(
      this.#options.project,
      {
        name: accessSecretName(name),
        format: 'generic',
        data: now =>
          now?.[ACCESS_KEY_VARIABLE] === undefined
            ? { [ACCESS_KEY_VARIABLE]: randomBytes(ACCESS_KEY_BYTES).toString('base64url') }
            : undefined,
      },
      { signal },
    )
    const key = data?.[ACCESS_KEY_VARIABLE]
    if (key !== undefined) return key
    throw new RuntimeDeployError(
      `The secret ${accessSecretName(name)} cannot be read: the service role Reader shows no secrets, Writer is needed.`,
    )
  }

  async #make(
    plan: RuntimePlan,
    secretsVersion: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly application: Application; readonly isNew: boolean }> {
    const { project, log } = this.#options
    const { name } = plan
    for (let tries = 1; ; tries++) {
      const now = await project.find('apps', name, { signal })
      const variables = now?.run_env_variables ?? []
      const seen = variables.find(one => one.name === SECRETS_VERSION_VARIABLE)?.value
      if (now !== undefined && (secretsVersion === undefined || seen === secretsVersion))
        return { application: now, isNew: false }
      const body = this.#application(plan, secretsVersion)
      try {
        if (now === undefined) {
          log.info(`making the application ${name}`)
          checkSize(`application ${name}`, body)
          return { application: await project.create('apps', body, { signal }), isNew: true }
        }
        log.debug(`the application ${name} is told of other secrets`)
        const { run_env_variables } = body
        const options = { entityTag: now.entity_tag, signal }
        return {
          application: await project.change('apps', name, { run_env_variables }, options),
          isNew: false,
        }
      } catch (error) {
        // another program was faster, or an old one is not quite gone
        if (!hasStatus(error, 404, 409, 412) || tries >= CHANGE_ATTEMPTS) throw error
        await pause(FIRST_LOOK_MS * tries * (0.5 + Math.random()), signal)
      }
    }
  }

  #application(
    { name, image, pullSecret, size, variables }: RuntimePlan,
    secretsVersion: string | undefined,
  ) {
    const { settings } = this.#options
    const { workerProcesses, concurrency, maxWorkers, minWorkers } = settings
    const own: Record<string, string> = {
      LITHOPS_WORKER_PROCESSES: `${workerProcesses}`,
      LITHOPS_CONCURRENCY: `${concurrency}`,
      ...(secretsVersion === undefined ? {} : { [SECRETS_VERSION_VARIABLE]: secretsVersion }),
    }
    const all: Variable[] = [
      ...variables,
      ...Object.entries(own).map(([key, value]) => ({ type: 'literal', name: key, value }) as const),
      secretVariable(ACCESS_KEY_VARIABLE, accessSecretName(name)),
    ]
    return {
      name,
      image_reference: image,
      ...(pullSecret === undefined ? {} : { image_secret: pullSecret }),
      image_port: PORT,
      managed_domain_mappings: 'local_public',
      run_env_variables: all,
      run_service_account: settings.serviceAccount,
      scale_cpu_limit: size.cpuLimit,
      scale_memory_limit: size.memoryLimit,
      scale_concurrency: workerProcesses * concurrency,
      scale_min_instances: minWorkers,
      // 0: as many as the project may have
      scale_max_instances: maxWorkers > ACTIVE_INSTANCES ? 0 : maxWorkers,
      scale_request_timeout: settings.timeoutMs / 1000,
      ...(settings.scaleDownDelayS === 0 ? {} : { scale_down_delay: settings.scaleDownDelayS }),
    }
  }

  /** Resolves to its URL. */
  async #waitUntilReady(first: Application, image: string, signal: AbortSignal | undefined): Promise<string> {
    const { name } = first
    const endMs = performance.now() + READY_MS
    let now: Application | undefined = first
    for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(LONGEST_LOOK_MS, lookMs * 1.3)) {
      const { status, status_details: details = {}, endpoint } = now
      const { reason = '', latest_created_revision: created, latest_ready_revision: ready } = details
      const isCurrent = created === ready
      if (status === 'ready' && isCurrent && endpoint !== undefined) return endpoint
      if (status === 'failed') throw notReady(name, image, reason || 'the platform gives no reason')
      if (performance.now() > endMs)
        throw notReady(name, image, reason || `it is '${status}' after ${READY_MS / 60_000} minutes`)
      await pause(lookMs, signal)
      now = await this.#options.project.find('apps', name, { signal })
      if (now === undefined)
        throw new RuntimeDeployError(`The application ${name} was removed while it was being deployed.`, {
          isRetryable: true,
          details: { name },
        })
    }
  }
}

function notReady(name: string, image: string, reason: string): RuntimeDeployError {
  const advice = isPullFailure(reason)
    ? ` The image ${image} cannot be pulled: can Code Engine reach the registry (code_engine.docker_server), and may it (docker_user, docker_password)?`
    : ` \`ibmcloud ce app events --name ${name}\` tells more.`
  return new RuntimeDeployError(`The application ${name} did not become ready: ${reason}.${advice}`, {
    details: { name, reason, image },
  })
}
