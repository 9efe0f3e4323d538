import { constraint, invalidParameter } from './names.ts'

/** What CreateFunction and UpdateFunctionConfiguration say about a function besides its code. */
export interface FunctionSettings {
  readonly Description: string
  readonly Role: string
  readonly Runtime?: string
  readonly Handler?: string
  readonly Timeout: number
  readonly MemorySize: number
  readonly Architectures: readonly string[]
  readonly EphemeralStorage: { readonly Size: number }
  readonly Environment?: { readonly Variables: Readonly<Record<string, string>> }
  /** ARNs of layer versions. */
  readonly Layers: readonly string[]
  readonly VpcConfig?: {
    readonly SubnetIds?: readonly string[]
    readonly SecurityGroupIds?: readonly string[]
  }
  readonly FileSystemConfigs?: readonly object[]
  readonly LoggingConfig?: { readonly LogFormat?: string; readonly LogGroup?: string }
  readonly TracingConfig?: { readonly Mode?: string }
  readonly DeadLetterConfig?: object
  readonly ImageConfig?: {
    readonly Command?: readonly string[]
    readonly EntryPoint?: readonly string[]
    readonly WorkingDirectory?: string
  }
}

export type FunctionInput = Readonly<Record<string, unknown>> & Partial<FunctionSettings>

const RUNTIMES = [
  'nodejs20.x',
  'nodejs22.x',
  'nodejs24.x',
  'nodejs26.x',
  'provided.al2023',
  'provided.al2',
  'python3.13',
]
const MAX_LAYERS = 5
const ENVIRONMENT_LIMIT_BYTES = 4096
const RESERVED_VARIABLES = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SECRET_KEY',
  'AWS_SESSION_TOKEN',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
])

/** Members that an update may replace; what it does not name stays. */
const MEMBERS = [
  'Description',
  'Role',
  'Runtime',
  'Handler',
  'Timeout',
  'MemorySize',
  'EphemeralStorage',
  'Environment',
  'Layers',
  'VpcConfig',
  'FileSystemConfigs',
  'LoggingConfig',
  'TracingConfig',
  'DeadLetterConfig',
  'ImageConfig',
  'Architectures',
] as const satisfies readonly (keyof FunctionSettings)[]

const DEFAULTS = {
  Description: '',
  Role: '',
  Timeout: 3,
  MemorySize: 128,
  Architectures: ['x86_64'],
  EphemeralStorage: { Size: 512 },
  Layers: [],
} as const satisfies FunctionSettings

/** The settings after a request, checked as Lambda does before it does anything. */
export function mergeSettings(
  input: FunctionInput,
  options: { readonly before?: FunctionSettings; readonly isImage: boolean; readonly maxMemoryMB: number },
): FunctionSettings {
  const given = Object.fromEntries(
    MEMBERS.filter(name => input[name] !== undefined && input[name] !== null).map(name => [
      name,
      input[name],
    ]),
  )
  const settings: FunctionSettings = { ...(options.before ?? DEFAULTS), ...given }
  checkRange(settings.Timeout, 'timeout', 1, 900)
  checkRange(settings.MemorySize, 'memorySize', 128, options.maxMemoryMB)
  checkRange(settings.EphemeralStorage.Size, 'ephemeralStorage.size', 512, 10_240)
  if (!/^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role\/?[a-zA-Z_0-9+=,.@\-_/]+$/.test(settings.Role)) {
    throw constraint(
      settings.Role,
      'role',
      'Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+',
    )
  }
  const architectures = settings.Architectures.join()
  if (architectures !== 'x86_64' && architectures !== 'arm64') {
    throw constraint(
      `[${architectures}]`,
      'architectures',
      'Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]',
    )
  }
  if (options.isImage) checkImageFunction(settings)
  else checkZipFunction(settings)
  checkEnvironment(settings.Environment?.Variables ?? {})
  if (settings.Layers.length > MAX_LAYERS) {
    throw invalidParameter(`Cannot reference more than ${MAX_LAYERS} layers.`)
  }
  return settings
}

function checkRange(value: number, member: string, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw constraint(value, member, `Member must have value greater than or equal to ${least}`)
  }
  if (value > most) throw constraint(value, member, `Member must have value less than or equal to ${most}`)
}

function checkImageFunction(settings: FunctionSettings): void {
  if (settings.Runtime !== undefined || settings.Handler !== undefined) {
    throw invalidParameter('Please don\'t provide Handler or Runtime or Layer when the intent is to create a function with PackageType Image') // biome-ignore format: one sentence
  }
}

function checkZipFunction({ Runtime, Handler }: FunctionSettings): void {
  if (Runtime === undefined || Handler === undefined) {
    throw invalidParameter(
      'Runtime and Handler are mandatory parameters for functions created with deployment packages.',
    )
  }
  if (!RUNTIMES.includes(Runtime)) {
    throw invalidParameter(
      `Value ${Runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${RUNTIMES.join(', ')}] or be a valid ARN`,
    )
  }
  if (!/^\S{1,128}$/.test(Handler)) {
    throw constraint(Handler, 'handler', 'Member must satisfy regular expression pattern: [^\\s]+')
  }
}

function checkEnvironment(variables: Readonly<Record<string, string>>): void {
  const refusal =
    'Lambda was unable to configure your environment variables because the environment variables you have provided'
  const reserved = Object.keys(variables).filter(name => RESERVED_VARIABLES.has(name))
  if (reserved.length > 0) {
    throw invalidParameter(
      `${refusal} contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    )
  }
  const wrong = Object.keys(variables).find(name => !/^[a-zA-Z][a-zA-Z0-9_]+$/.test(name))
  if (wrong !== undefined) {
    throw constraint(
      '{…}',
      'environment.variables',
      'Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]',
    )
  }
  const text = JSON.stringify(variables)
  if (Buffer.byteLength(text) > ENVIRONMENT_LIMIT_BYTES) {
    throw invalidParameter(`${refusal} exceeded the 4KB limit. String measured: ${text}`)
  }
}
