import { EnvironmentPool } from '../data-plane/environment-pool.ts'
import type { Launcher } from '../data-plane/launcher.ts'
import { AwsError } from '../http/aws-error.ts'
import { type AwsAnswer, type AwsRequest, jsonAnswer } from '../http/aws-service.ts'
import type { Roles } from '../iam/roles.ts'
import { checkUnzipped, type ReadFunctionCode, readFunctionCode } from './function-code.ts'
import { type FunctionInput, type FunctionSettings, mergeSettings } from './function-settings.ts'
import { viewOf } from './function-view.ts'
import { type Failure, LambdaFunction, newRevision, type Revision } from './lambda-function.ts'
import type { Layers } from './layers.ts'
import {
  conflict,
  constraint,
  type FunctionReference,
  functionArn,
  invalidParameter,
  LATEST,
  notFound,
  parseFunctionName,
} from './names.ts'
import { page } from './paging.ts'
import type { CodeLocation } from './read-code.ts'

const MAX_NAME_LENGTH = 64

export interface FunctionsOptions extends Pick<ReadFunctionCode, 'setting' | 'readObject' | 'imageDigest'> {
  readonly roles: Roles
  readonly layerStore: Layers
  readonly launcher: Launcher
}

/** Functions of the account: made, changed, listed, removed. */
export class Functions {
  readonly #options: FunctionsOptions
  readonly #functions = new Map<string, LambdaFunction>()
  readonly #retired = new Set<LambdaFunction>()
  #nextFailure: Failure | undefined

  constructor(options: FunctionsOptions) {
    this.#options = options
  }

  get all(): readonly LambdaFunction[] {
    return [...this.#functions.values()]
  }

  get codeBytes(): number {
    const sizeOf = ({ code }: Revision) => (code.kind === 'zip' ? code.code.zip.length : 0)
    return this.all
      .flatMap(fn => [fn.latest, ...fn.published.map(({ revision }) => revision)])
      .reduce((sum, revision) => sum + sizeOf(revision), 0)
  }

  /** The next function that is made, or update, fails for this reason. */
  failNext(failure: Failure): void {
    this.#nextFailure = failure
  }

  has(fn: LambdaFunction): boolean {
    return this.#functions.get(fn.name) === fn
  }

  /** Of a name in a path, which may be an ARN. */
  find(name: string, query: URLSearchParams): { readonly fn: LambdaFunction } & FunctionReference {
    const reference = parseFunctionName(name, query.get('Qualifier'))
    const fn = this.#functions.get(reference.name)
    if (fn === undefined) throw this.#notFound(reference)
    return { fn, ...reference }
  }

  async create(request: AwsRequest): Promise<AwsAnswer> {
    const input = JSON.parse(request.body.toString()) as FunctionInput & {
      readonly Code?: CodeLocation
      readonly Publish?: boolean
      readonly Tags?: Record<string, string>
    }
    const { name } = parseFunctionName(String(input.FunctionName ?? ''))
    if (name.length > MAX_NAME_LENGTH) {
      throw constraint(
        name,
        'functionName',
        `Member must have length less than or equal to ${MAX_NAME_LENGTH}`,
      )
    }
    if (this.#functions.has(name)) throw conflict(`Function already exist: ${name}`)
    const isImage = input.PackageType === 'Image'
    const { quotas, timing } = this.#options.setting
    const settings = mergeSettings(input, { isImage, maxMemoryMB: quotas.maxMemoryMB })
    const layers = this.#options.layerStore.find(settings.Layers)
    const code = await readFunctionCode(input.Code ?? {}, {
      ...this.#options,
      isImage,
      layers,
      storedBytes: this.#storedBytes,
    })
    this.#options.roles.assumeForLambda(settings.Role)
    // another request may have made it while this one was read
    if (this.#functions.has(name)) throw conflict(`Function already exist: ${name}`)
    const failure = this.#takeFailure()
    const fn = new LambdaFunction({
      name,
      revision: newRevision({ settings, code, layers }),
      readyAtMs: Date.now() + timing.createMs,
      openPool: (revision, version) => this.#openPool(name, revision, version),
      ...(failure !== undefined && { failure }),
    })
    for (const [key, value] of Object.entries(input.Tags ?? {})) fn.tags.set(key, value)
    this.#functions.set(name, fn)
    if (input.Publish === true) return jsonAnswer(this.#view(fn, fn.publish()), 201)
    return jsonAnswer(this.#view(fn), 201)
  }

  get(name: string, query: URLSearchParams, codeUrl: (name: string) => string): AwsAnswer {
    const { fn, qualifier } = this.find(name, query)
    const version = this.#versionOf(fn, qualifier)
    const { code } = version.revision
    return jsonAnswer({
      Configuration: this.#view(fn, version, qualifier),
      Code:
        code.kind === 'zip'
          ? { RepositoryType: 'S3', Location: codeUrl(fn.name) }
          : { RepositoryType: 'ECR', ImageUri: code.uri, ResolvedImageUri: code.uri },
      ...(fn.tags.size > 0 && { Tags: Object.fromEntries(fn.tags) }),
      ...(fn.reservedConcurrency !== undefined && {
        Concurrency: { ReservedConcurrentExecutions: fn.reservedConcurrency },
      }),
    })
  }

  getConfiguration(name: string, query: URLSearchParams): AwsAnswer {
    const { fn, qualifier } = this.find(name, query)
    return jsonAnswer(this.#view(fn, this.#versionOf(fn, qualifier), qualifier))
  }

  async updateCode(name: string, request: AwsRequest): Promise<AwsAnswer> {
    const { fn } = this.find(name, request.query)
    const input = JSON.parse(request.body.toString()) as CodeLocation & {
      readonly Architectures?: readonly string[]
      readonly Publish?: boolean
      readonly DryRun?: boolean
      readonly RevisionId?: string
    }
    this.#checkUpdate(fn, input.RevisionId)
    const before = fn.latest
    const settings = input.Architectures
      ? { ...before.settings, Architectures: input.Architectures }
      : before.settings
    const code = await readFunctionCode(input, {
      ...this.#options,
      isImage: before.code.kind === 'image',
      layers: before.layers,
      storedBytes: this.#storedBytes,
    })
    this.#checkUpdate(fn, input.RevisionId)
    if (input.DryRun === true) return jsonAnswer(this.#view(fn))
    this.#update(fn, newRevision({ ...before, settings, code }))
    return jsonAnswer(this.#view(fn, input.Publish === true ? fn.publish() : undefined))
  }

  updateConfiguration(name: string, request: AwsRequest): AwsAnswer {
    const { fn } = this.find(name, request.query)
    const input = JSON.parse(request.body.toString()) as FunctionInput & { readonly RevisionId?: string }
    this.#checkUpdate(fn, input.RevisionId)
    const before = fn.latest
    const settings: FunctionSettings = mergeSettings(input, {
      before: before.settings,
      isImage: before.code.kind === 'image',
      maxMemoryMB: this.#options.setting.quotas.maxMemoryMB,
    })
    const layers = this.#options.layerStore.find(settings.Layers)
    if (before.code.kind === 'zip') checkUnzipped(before.code.code, layers)
    this.#options.roles.assumeForLambda(settings.Role)
    this.#update(fn, newRevision({ ...before, settings, layers }))
    return jsonAnswer(this.#view(fn))
  }

  publish(name: string, request: AwsRequest): AwsAnswer {
    const { fn } = this.find(name, request.query)
    this.#checkUpdate(fn, undefined)
    return jsonAnswer(this.#view(fn, fn.publish()), 201)
  }

  list(query: URLSearchParams): AwsAnswer {
    const isAll = query.get('FunctionVersion') === 'ALL'
    const entries = this.all
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap(fn => {
        const latest = viewOf(this.#options.setting, fn, undefined, {
          isListed: true,
          ...(isAll && { arnQualifier: LATEST }),
        })
        return isAll ? [latest, ...this.#published(fn)] : [latest]
      })
    const { items, next } = page(entries, query)
    return jsonAnswer({ Functions: items, NextMarker: next })
  }

  listVersions(name: string, query: URLSearchParams): AwsAnswer {
    const { fn } = this.find(name, query)
    const latest = viewOf(this.#options.setting, fn, undefined, { isListed: true, arnQualifier: LATEST })
    const { items, next } = page([latest, ...this.#published(fn)], query)
    return jsonAnswer({ Versions: items, NextMarker: next })
  }

  delete(name: string, query: URLSearchParams): AwsAnswer {
    const { fn, qualifier } = this.find(name, query)
    if (qualifier === LATEST) {
      throw invalidParameter('$LATEST version cannot be deleted without deleting the function.')
    }
    if (qualifier !== undefined) {
      const index = fn.published.findIndex(({ version }) => version === qualifier)
      for (const { pool } of index < 0 ? [] : fn.published.splice(index, 1)) pool.retire()
      return { status: 204 }
    }
    this.#functions.delete(fn.name)
    this.#retired.add(fn)
    fn.retire()
    return { status: 204 }
  }

  /** Ends every environment. */
  async close(): Promise<void> {
    const functions = [...this.all, ...this.#retired]
    await Promise.all(functions.flatMap(({ pools }) => pools).map(pool => pool.end()))
  }

  /** Bytes of the zip of a function, for who follows the location that GetFunction names. */
  zipOf(name: string): Uint8Array | undefined {
    const code = this.#functions.get(name)?.latest.code
    return code?.kind === 'zip' ? code.code.zip : undefined
  }

  get #storedBytes(): number {
    return this.codeBytes + this.#options.layerStore.codeBytes
  }

  #checkUpdate(fn: LambdaFunction, revisionId: string | undefined): void {
    const cannot = 'The operation cannot be performed at this time.'
    if (fn.state !== 'Active') {
      throw conflict(`${cannot} The function is currently in the following state: ${fn.state}`)
    }
    if (fn.lastUpdateStatus === 'InProgress') {
      const arn = functionArn(this.#options.setting, fn.name)
      throw conflict(`${cannot} An update is in progress for resource: ${arn}`)
    }
    if (revisionId !== undefined && revisionId !== fn.latest.revisionId) {
      const message =
        'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id'
      throw new AwsError(412, 'PreconditionFailedException', message, { fields: { Type: 'User' } })
    }
  }

  #update(fn: LambdaFunction, revision: Revision): void {
    fn.update(revision, Date.now() + this.#options.setting.timing.updateMs, this.#takeFailure())
  }

  #takeFailure(): Failure | undefined {
    const failure = this.#nextFailure
    this.#nextFailure = undefined
    return failure
  }

  #openPool(name: string, revision: Revision, version: string): EnvironmentPool {
    return new EnvironmentPool({
      open: () => this.#options.launcher.open(name, version, revision),
      idleMs: this.#options.setting.timing.idleMs,
    })
  }

  #published(fn: LambdaFunction): object[] {
    return fn.published.map(version =>
      viewOf(this.#options.setting, fn, version, { isListed: true, arnQualifier: version.version }),
    )
  }

  #versionOf(fn: LambdaFunction, qualifier: string | undefined) {
    if (qualifier === undefined || qualifier === LATEST) return { version: LATEST, revision: fn.latest }
    const version = fn.find(qualifier)
    if (version === undefined) throw this.#notFound({ name: fn.name, qualifier })
    return version
  }

  #view(
    fn: LambdaFunction,
    version?: { readonly version: string; readonly revision: Revision },
    qualifier = version?.version === LATEST ? undefined : version?.version,
  ): object {
    return viewOf(this.#options.setting, fn, version, {
      ...(qualifier !== undefined && { arnQualifier: qualifier }),
    })
  }

  #notFound({ name, qualifier }: FunctionReference): AwsError {
    return notFound(`Function not found: ${functionArn(this.#options.setting, name, qualifier)}`)
  }
}
