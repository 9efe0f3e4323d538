import type { ResolvedConfig } from '../config/resolve-config.ts'
import { COMPUTE_SPEC_VERSION, type ComputeBackend } from '../driver/compute-backend.ts'
import type { ComputeDriver, DriverContext } from '../driver/driver.ts'
import { checkDriverShape } from '../driver/driver-shape.ts'
import { ConfigError, DriverContractError } from '../errors/index.ts'
import { sectionOf } from './driver-section.ts'
import type { ExecutorKind, ExecutorOptions } from './executor-options.ts'
import { findDriver } from './find-driver.ts'
import { localhostBackend } from './localhost-choice.ts'

/** The name of a compute backend, a driver that makes one, or one. */
export type BackendChoice = string | ComputeDriver | ComputeBackend

/** The backends that options or config name, or this machine's. Throws ConfigError for those that the executor must not have. */
export function backendChoices(
  options: ExecutorOptions,
  config: ResolvedConfig | undefined,
  kind: ExecutorKind,
): BackendChoice[] {
  const mode = config?.lithops.mode
  const named =
    options.backend ??
    config?.lithops.backend ??
    (mode === 'serverless' || kind.only === 'serverless' ? config?.serverless.backend : undefined)
  if (mode === 'standalone') {
    throw new ConfigError(
      'mode: standalone is not there: Lithops for TypeScript runs on localhost and on serverless backends.',
    )
  }
  const list = [named ?? []].flat() as BackendChoice[]
  if (named !== undefined && list.length === 0) {
    throw new ConfigError('backend must name at least one backend, and the list is empty.')
  }
  if (
    kind.only === 'localhost' &&
    options.backend !== undefined &&
    list.some(choice => choice !== 'localhost')
  ) {
    const name = list.map(choice => (typeof choice === 'string' ? choice : choice.name)).join(', ')
    throw new ConfigError(
      `${kind.className} runs on localhost, not on ${name}. Use FunctionExecutor for that.`,
    )
  }
  if (kind.only === 'localhost' || (mode === 'localhost' && list.length === 0)) return ['localhost']
  if (list.length === 0) {
    if (kind.only !== 'serverless' && mode !== 'serverless') return ['localhost']
    throw new ConfigError(
      `${kind.only === 'serverless' ? kind.className : 'mode: serverless'} needs a backend: name one, for instance backend: aws_lambda.`,
    )
  }
  if ((kind.only === 'serverless' || mode === 'serverless') && list.includes('localhost')) {
    throw new ConfigError(
      `${kind.only === 'serverless' ? kind.className : 'mode: serverless'} does not run on localhost. Use FunctionExecutor or LocalhostExecutor for that, or name a serverless backend.`,
    )
  }
  for (const choice of list) {
    if (typeof choice !== 'string' && (typeof choice !== 'object' || choice === null)) {
      throw new ConfigError(`backend must be a name, a driver or a list of them, not ${String(choice)}.`)
    }
  }
  return list
}

/** Ready at once for the embedded backend and for objects, later where a package must be loaded. */
export function openBackend(
  choice: BackendChoice,
  config: ResolvedConfig | undefined,
  context: DriverContext,
): ComputeBackend | Promise<ComputeBackend> {
  if (choice === 'localhost') return localhostBackend(config?.localhost, context.log)
  if (typeof choice === 'string') {
    return findDriver('backend', choice, context).then(async ({ driver }) => {
      return checkBackend(await driver.create(sectionOf(driver, config, context.log), context))
    })
  }
  if (isBackend(choice)) return checkBackend(choice)
  if (typeof choice.create !== 'function') {
    throw new DriverContractError(
      'The object given as backend is neither a backend (invoke) nor a driver (create).',
    )
  }
  checkDriverShape('backend', 'the option backend', choice)
  const made = choice.create(sectionOf(choice, config, context.log), context)
  return made instanceof Promise ? made.then(checkBackend) : checkBackend(made)
}

/** A backend object, not a driver that makes one. */
export function isBackend(choice: BackendChoice): choice is ComputeBackend {
  return typeof choice === 'object' && 'invoke' in choice
}

const BACKEND_METHODS = [
  'deployRuntime',
  'listRuntimes',
  'deleteRuntime',
  'invoke',
  'clean',
  'close',
] as const

function checkBackend(backend: ComputeBackend): ComputeBackend {
  if (backend.specVersion !== COMPUTE_SPEC_VERSION) {
    throw new DriverContractError(
      `Backend '${backend.name}' has specVersion ${String(backend.specVersion)}, and this core needs ${COMPUTE_SPEC_VERSION}.`,
    )
  }
  for (const method of BACKEND_METHODS) {
    if (typeof backend[method] !== 'function') {
      throw new DriverContractError(`Backend '${backend.name}' has no method ${method}().`)
    }
  }
  if (typeof backend.capabilities !== 'object' || typeof backend.defaultRuntime !== 'object') {
    throw new DriverContractError(`Backend '${backend.name}' lacks capabilities or defaultRuntime.`)
  }
  return backend
}

/** Whether some workers do not see this machine. */
export function isRemote(backends: readonly BackendChoice[]): boolean {
  return backends.some(backend => typeof backend === 'string' && backend !== 'localhost')
}
