/** How long this cloud takes. The defaults are short so that tests are; AWS's own times are in the comments. */
export interface AwsTiming {
  /** From CreateFunction until the function is Active; on AWS one to some ten seconds. Default: 150. */
  readonly createMs: number
  /** From an update until LastUpdateStatus is Successful; on AWS some seconds. Default: 100. */
  readonly updateMs: number
  /** From CreateRole until Lambda may assume the role; on AWS about ten seconds. Default: 300. */
  readonly roleAssumableMs: number
  /** From a change of a role until IAM shows it. Default: 0. */
  readonly roleVisibleMs: number
  /** From CreateFunction until its event invoke config can be put. Default: 0. */
  readonly eventInvokeConfigMs: number
  /** Added before the process of a new environment starts; on AWS 50 to 300. Default: 0. */
  readonly coldStartMs: number
  /** How long the initialization may take before it is repeated within the call. As on AWS. Default: 10,000. */
  readonly initLimitMs: number
  /** From an accepted event until it is delivered. Default: 1. */
  readonly asyncDeliveryMs: number
  /** Before each further delivery of an event whose function failed. As on AWS. Default: [60,000, 120,000]. */
  readonly asyncRetryMs: readonly number[]
  /** Before an event that was throttled is tried again, doubled each time up to 300 times. Default: 1,000. */
  readonly asyncBackoffMs: number
  /** How long an environment without calls is kept. Default: 600,000. */
  readonly idleMs: number
  /** Until what was logged can be found. On AWS some seconds. Default: 0. */
  readonly logsMs: number
}

/** What this account may do. */
export interface AwsQuotas {
  /** Concurrent executions of the account in the region. New accounts have 10. Default: 1,000, as on AWS. */
  readonly concurrentExecutions: number
  /** Environments that each function may add in ten seconds, refilled all the time. Default: 1,000, as on AWS. */
  readonly environmentsPerTenSeconds: number
  /** Invocations per second, as a multiple of the concurrency. Default: 10, as on AWS. */
  readonly requestsPerSecondPerConcurrency: number
  /** Requests of Lambda's API per second besides Invoke and GetFunction. Default: 15, as on AWS. */
  readonly controlPlanePerSecond: number
  /** GetFunction per second. Default: 100, as on AWS. */
  readonly getFunctionPerSecond: number
  /** New accounts have 3,008. Default: 10,240, as on AWS. */
  readonly maxMemoryMB: number
  /** All code of the region. Default: 75 GiB, as on AWS. */
  readonly codeStorageBytes: number
}

export interface FakeAwsOptions {
  /** Default: 'us-east-1'. */
  readonly region?: string
  /** Default: '123456789012'. */
  readonly accountId?: string
  readonly timing?: Partial<AwsTiming>
  readonly quotas?: Partial<AwsQuotas>
  /** The Node that runs functions, whatever their runtime is named. Default: the one of this process. */
  readonly node?: string
  /**
   * Folder of an installed `aws-lambda-ric`, under which functions run then. Default: the environment's
   * LITHOPS_AWS_LAMBDA_RIC; without one they run under a small loop of the same Runtime API.
   */
  readonly runtimeInterfaceClient?: string
  /** Environment of all functions besides their own, e.g. the endpoint of a storage. */
  readonly workerEnvironment?: Readonly<Record<string, string>>
  /** Keys that workers get in place of those of their role's session, e.g. of a real storage beside this cloud. */
  readonly workerCredentials?: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
  /** Bounds what the keys of `env` may do. Default: everything. */
  readonly policies?: readonly object[]
  /** Objects that code may be taken from, for S3Bucket and S3Key. */
  readonly readObject?: (bucket: string, key: string) => Promise<Uint8Array | undefined>
  /**
   * Host and port of a container registry that stands behind ECR, plain http: images that are pushed there are images of
   * ECR. Default: none; images come by `putImage`.
   */
  readonly containerRegistry?: string
  /** Keeps the bodies of all requests in `requests`. Default: false. */
  readonly keepBodies?: boolean
  /** What a function that used too much memory is said to have died of; AWS says either. Default: 'Runtime.ExitError'. */
  readonly outOfMemoryErrorType?: 'Runtime.ExitError' | 'Runtime.OutOfMemory'
}

export const DEFAULT_TIMING: AwsTiming = {
  createMs: 150,
  updateMs: 100,
  roleAssumableMs: 300,
  roleVisibleMs: 0,
  eventInvokeConfigMs: 0,
  coldStartMs: 0,
  initLimitMs: 10_000,
  asyncDeliveryMs: 1,
  asyncRetryMs: [60_000, 120_000],
  asyncBackoffMs: 1_000,
  idleMs: 600_000,
  logsMs: 0,
}

/** From: "Lambda quotas" of the Lambda developer guide. */
export const DEFAULT_QUOTAS: AwsQuotas = {
  concurrentExecutions: 1_000,
  environmentsPerTenSeconds: 1_000,
  requestsPerSecondPerConcurrency: 10,
  controlPlanePerSecond: 15,
  getFunctionPerSecond: 100,
  maxMemoryMB: 10_240,
  codeStorageBytes: 75 * 1024 ** 3,
}

/** What all parts of this cloud know. */
export interface AwsSetting {
  readonly region: string
  readonly accountId: string
  readonly timing: AwsTiming
  readonly quotas: AwsQuotas
}
