import { Admission } from './data-plane/admission.ts'
import { Launcher } from './data-plane/launcher.ts'
import { EcrService } from './ecr/ecr-service.ts'
import { type AwsFault, type AwsFaultScope, InjectedAwsFault } from './faults.ts'
import { AwsServer, type SeenAwsRequest } from './http/aws-server.ts'
import { type AccessKey, Credentials, type Identity } from './http/credentials.ts'
import { authorize } from './iam/authorize.ts'
import { IamService } from './iam/iam-service.ts'
import { LAMBDA_TRUST, Roles } from './iam/roles.ts'
import { StsService } from './iam/sts-service.ts'
import { workerSession } from './iam/worker-session.ts'
import type { Failure } from './lambda/lambda-function.ts'
import { LambdaService } from './lambda/lambda-service.ts'
import { LogStore } from './logs/log-store.ts'
import { LogsService } from './logs/logs-service.ts'
import { type AwsSetting, DEFAULT_QUOTAS, DEFAULT_TIMING, type FakeAwsOptions } from './options.ts'

const CODE_PATH = '/lithops-fake-code/'

export interface EnvironmentCounts {
  readonly busy: number
  readonly free: number
  /** Of functions that are there, since they were made or updated. */
  readonly started: number
}

/**
 * A stand-in for the APIs of AWS that a compute backend needs: Lambda, STS, IAM, ECR and CloudWatch Logs behind one
 * endpoint, for the official SDK. Functions are run by real Node processes.
 */
export class FakeAws implements AsyncDisposable {
  readonly region: string
  readonly accountId: string
  /** The endpoint of all services, plain http; no slash at the end. */
  readonly endpoint: string
  /** Access key of a user, who may do everything if no `policies` were given. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** A role that Lambda may assume and that was there before. */
  readonly roleArn: string
  readonly #server: AwsServer
  readonly #lambda: LambdaService
  readonly #ecr: EcrService
  readonly #logs: LogStore
  readonly #launcher: Launcher
  readonly #admission: Admission
  readonly #keys: Credentials
  readonly #faults: InjectedAwsFault[]
  #isClosed = false

  private constructor(parts: {
    readonly setting: AwsSetting
    readonly server: AwsServer
    readonly lambda: LambdaService
    readonly ecr: EcrService
    readonly logs: LogStore
    readonly launcher: Launcher
    readonly admission: Admission
    readonly keys: Credentials
    readonly faults: InjectedAwsFault[]
    readonly user: AccessKey
    readonly roleArn: string
  }) {
    this.region = parts.setting.region
    this.accountId = parts.setting.accountId
    this.endpoint = parts.server.url
    const { accessKeyId, secretAccessKey } = parts.user
    this.credentials = { accessKeyId, secretAccessKey }
    this.roleArn = parts.roleArn
    this.#server = parts.server
    this.#lambda = parts.lambda
    this.#ecr = parts.ecr
    this.#logs = parts.logs
    this.#launcher = parts.launcher
    this.#admission = parts.admission
    this.#keys = parts.keys
    this.#faults = parts.faults
  }

  /** Starts on a free port of the loopback. */
  static async start(options: FakeAwsOptions = {}): Promise<FakeAws> {
    const setting: AwsSetting = {
      region: options.region ?? 'us-east-1',
      accountId: options.accountId ?? '123456789012',
      timing: { ...DEFAULT_TIMING, ...options.timing },
      quotas: { ...DEFAULT_QUOTAS, ...options.quotas },
    }
    const { accountId } = setting
    const keys = new Credentials()
    const user = keys.addUser({
      arn: `arn:aws:iam::${accountId}:user/tester`,
      userId: 'AIDATESTER000000TEST',
      accountId,
      ...(options.policies !== undefined && { policies: options.policies }),
    })
    const roles = new Roles(setting)
    const role = roles.create({ name: 'lithops-worker', trustPolicy: LAMBDA_TRUST, isOld: true })
    const logs = new LogStore(setting)
    const admission = new Admission(setting.quotas)
    let fake: FakeAws | undefined
    const ecr = new EcrService(setting, options.containerRegistry)
    const launcher = new Launcher({
      setting,
      options,
      logs,
      keysOf: roleArn => workerSession(keys, accountId, roleArn),
      imageContent: digest => ecr.contentOf(digest),
    })
    const lambda = new LambdaService({
      setting,
      options,
      roles,
      launcher,
      admission,
      imageDigest: uri => ecr.digestOf(uri),
      codeUrl: name => `${fake?.endpoint}${CODE_PATH}${encodeURIComponent(name)}`,
    })
    const faults: InjectedAwsFault[] = []
    const server = await AwsServer.start({
      services: [
        lambda,
        new StsService(roles, keys),
        new IamService(setting, roles),
        ecr,
        new LogsService(setting, logs),
      ],
      credentials: keys,
      // IAM is in one region only, whatever the region of the others
      regions: [setting.region, 'us-east-1'],
      keepBodies: options.keepBodies ?? false,
      faultFor: (operation, functionName) => faults.find(fault => fault.meets(operation, functionName)),
      authorize,
      openFile: path =>
        path.startsWith(CODE_PATH)
          ? lambda.functions.zipOf(decodeURIComponent(path.slice(CODE_PATH.length)))
          : undefined,
    })
    const roleArn = role.arn
    fake = new FakeAws({
      setting,
      server,
      lambda,
      ecr,
      logs,
      launcher,
      admission,
      keys,
      faults,
      user,
      roleArn,
    })
    return fake
  }

  /** What SDK clients are made with. */
  get clientConfig() {
    return { endpoint: this.endpoint, region: this.region, credentials: this.credentials }
  }

  /** What to put into the environment, so that SDK clients without any options come here. S3 stays where it is. */
  get env(): Record<string, string> {
    const services = ['LAMBDA', 'STS', 'IAM', 'ECR', 'CLOUDWATCH_LOGS']
    return {
      AWS_ACCESS_KEY_ID: this.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: this.credentials.secretAccessKey,
      AWS_REGION: this.region,
      ...Object.fromEntries(services.map(name => [`AWS_ENDPOINT_URL_${name}`, this.endpoint])),
    }
  }

  /** All requests since the start or the last `clear()`, oldest first. */
  get requests(): readonly SeenAwsRequest[] {
    return this.#server.requests
  }

  /** How often each action came, e.g. { 'lambda:Invoke': 3 }. */
  get counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const { action } of this.requests) counts[action] = (counts[action] ?? 0) + 1
    return counts
  }

  /** Names of the functions that are there. */
  get functionNames(): readonly string[] {
    return this.#lambda.functions.all.map(({ name }) => name)
  }

  /** Names of the log groups that are there. */
  get logGroupNames(): readonly string[] {
    return [...this.#logs.groups.keys()]
  }

  get environments(): EnvironmentCounts {
    const pools = this.#lambda.functions.all.flatMap(({ pools }) => pools)
    const sum = (count: (pool: (typeof pools)[number]) => number) =>
      pools.reduce((total, pool) => total + count(pool), 0)
    return {
      busy: sum(pool => pool.busyCount),
      free: sum(pool => pool.freeCount),
      started: sum(pool => pool.startedCount),
    }
  }

  /** Most calls that ran at once. */
  get peakConcurrency(): number {
    return this.#admission.peak
  }

  /** Accepted events that are neither done nor given up. */
  get openEvents(): number {
    return this.#lambda.invoker.queue.openCount
  }

  /** Where code and environments lie; undefined before the first call. */
  get folder(): string | undefined {
    return this.#launcher.folder
  }

  /** The first injected fault that fits a request strikes it. Returns the fault, which counts its strikes. */
  inject(fault: AwsFault, scope: AwsFaultScope = {}): InjectedAwsFault {
    const injected = new InjectedAwsFault(fault, scope)
    this.#faults.push(injected)
    return injected
  }

  /** The next function that is made, or update, ends in state Failed with this code and reason. */
  failNextDeployment(failure: Failure): void {
    this.#lambda.functions.failNext(failure)
  }

  /** Takes all faults away and forgets the requests. */
  clear(): void {
    this.#faults.length = 0
    this.#server.requests.length = 0
  }

  /** The next calls start in new environments. */
  closeFreeEnvironments(): void {
    for (const fn of this.#lambda.functions.all) for (const pool of fn.pools) pool.closeFree()
  }

  /** Another user of the account, bounded by policies; with these keys, which a real server beside this cloud knows. */
  addUser(
    name: string,
    policies?: readonly object[],
    keys?: { readonly accessKeyId: string; readonly secretAccessKey: string },
  ): AccessKey {
    const identity = {
      arn: `arn:aws:iam::${this.accountId}:user/${name}`,
      userId: `AIDA${name.toUpperCase()}`,
      accountId: this.accountId,
      ...(policies !== undefined && { policies }),
    }
    return keys === undefined ? this.#keys.addUser(identity) : this.#keys.add({ ...keys, identity })
  }

  /** Keys of a session as AssumeRole, single sign-on and the like give them. Default lifetime: an hour. */
  addSession(options: { readonly policies?: readonly object[]; readonly lifetimeS?: number } = {}) {
    const { policies, lifetimeS = 3600 } = options
    const identity: Identity = {
      arn: `arn:aws:sts::${this.accountId}:assumed-role/session/tester`,
      userId: 'AROASESSION:tester',
      accountId: this.accountId,
      ...(policies !== undefined && { policies }),
    }
    return this.#keys.addSession(identity, lifetimeS)
  }

  /** Session tokens that were given until now are expired, also those of workers. */
  expireSessions(): void {
    this.#keys.expireSessions()
  }

  /** Puts an image into the registry. `folder` stands for its task root when a function of it is called. */
  putImage(image: { readonly repository: string; readonly tag: string; readonly folder?: string }): {
    readonly uri: string
    readonly digest: string
  } {
    return this.#ecr.put(image)
  }

  /** Ends all functions. Nothing of them is left. May be called twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#lambda.invoker.queue.close()
    await this.#server.close()
    await this.#lambda.functions.close()
    await this.#launcher.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
