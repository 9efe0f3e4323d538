import type { Admission } from '../data-plane/admission.ts'
import type { Launcher } from '../data-plane/launcher.ts'
import { type AwsAnswer, type AwsRequest, type AwsService, jsonAnswer } from '../http/aws-service.ts'
import type { Roles } from '../iam/roles.ts'
import type { AwsSetting, FakeAwsOptions } from '../options.ts'
import { UNZIPPED_LIMIT_BYTES } from './code-package.ts'
import { FunctionOptions } from './function-options.ts'
import { Functions } from './functions.ts'
import { Invoker } from './invoke.ts'
import { Layers } from './layers.ts'
import { functionArn, parseFunctionName } from './names.ts'
import { type Route, routeOf } from './routes.ts'
import { TokenBucket, throttled } from './throttling.ts'

/** What the front end takes: 50 MB of zip in base64, and room for the rest. From: its message. */
const BODY_LIMIT_BYTES = 69_905_067
const ZIPPED_LIMIT_BYTES = 50 * 1024 * 1024

/** The Lambda API. */
export class LambdaService implements AwsService {
  readonly name = 'lambda'
  readonly protocol = 'rest-json'
  readonly functions: Functions
  readonly invoker: Invoker
  readonly #setting: AwsSetting
  readonly #admission: Admission
  readonly #layers: Layers
  readonly #options: FunctionOptions
  readonly #codeUrl: (name: string) => string
  readonly #buckets: { readonly getFunction: TokenBucket; readonly other: TokenBucket }

  constructor(options: {
    readonly setting: AwsSetting
    readonly options: FakeAwsOptions
    readonly roles: Roles
    readonly launcher: Launcher
    readonly admission: Admission
    readonly imageDigest: (uri: string) => Promise<string | undefined>
    readonly codeUrl: (name: string) => string
  }) {
    const { setting, roles, launcher, admission, imageDigest } = options
    const { readObject } = options.options
    this.#setting = setting
    this.#admission = admission
    this.#codeUrl = options.codeUrl
    this.#layers = new Layers(setting, readObject)
    this.functions = new Functions({
      setting,
      roles,
      layerStore: this.#layers,
      launcher,
      readObject,
      imageDigest,
    })
    this.invoker = new Invoker({ setting, admission, isKnown: fn => this.functions.has(fn) })
    this.#options = new FunctionOptions({ setting, functions: this.functions, admission })
    const bucket = (perSecond: number) =>
      new TokenBucket({ capacity: perSecond, perSecond, nowMs: Date.now() })
    this.#buckets = {
      getFunction: bucket(setting.quotas.getFunctionPerSecond),
      other: bucket(setting.quotas.controlPlanePerSecond),
    }
  }

  bodyLimitBytes(): number {
    return BODY_LIMIT_BYTES
  }

  operationOf({ method, path, query }: Omit<AwsRequest, 'caller'>): string | undefined {
    return routeOf(method, path, query)?.operation
  }

  resourceOf(operation: string, request: AwsRequest): string {
    const [part = ''] = this.#route(request).parts
    const { region, accountId } = this.#setting
    switch (operation) {
      case 'CreateFunction': {
        const { FunctionName } = JSON.parse(request.body.toString()) as { readonly FunctionName?: string }
        return functionArn(this.#setting, FunctionName ?? '')
      }
      case 'GetAccountSettings':
      case 'ListFunctions':
      case 'ListLayers':
        return '*'
      case 'PublishLayerVersion':
      case 'ListLayerVersions':
        return `arn:aws:lambda:${region}:${accountId}:layer:${part}`
      case 'GetLayerVersion':
      case 'DeleteLayerVersion':
        return `arn:aws:lambda:${region}:${accountId}:layer:${this.#route(request).parts.join(':')}`
      case 'GetLayerVersionByArn':
        return part
      default:
        return functionArn(this.#setting, parseFunctionName(part).name)
    }
  }

  answer(operation: string, request: AwsRequest): Promise<AwsAnswer> | AwsAnswer {
    const { query } = request
    const [name = '', version = ''] = this.#route(request).parts
    if (operation === 'Invoke') {
      const { fn, qualifier } = this.functions.find(name, query)
      return this.invoker.invoke(fn, qualifier, request)
    }
    const bucket = operation === 'GetFunction' ? this.#buckets.getFunction : this.#buckets.other
    if (!bucket.take(Date.now())) throw throttled('CallerRateLimitExceeded')
    switch (operation) {
      case 'CreateFunction':
        return this.functions.create(request)
      case 'GetFunction':
        return this.functions.get(name, query, this.#codeUrl)
      case 'GetFunctionConfiguration':
        return this.functions.getConfiguration(name, query)
      case 'UpdateFunctionCode':
        return this.functions.updateCode(name, request)
      case 'UpdateFunctionConfiguration':
        return this.functions.updateConfiguration(name, request)
      case 'PublishVersion':
        return this.functions.publish(name, request)
      case 'ListFunctions':
        return this.functions.list(query)
      case 'ListVersionsByFunction':
        return this.functions.listVersions(name, query)
      case 'DeleteFunction':
        return this.#delete(name, query)
      case 'PutFunctionEventInvokeConfig':
        return this.#options.putEventInvokeConfig(name, request, false)
      case 'UpdateFunctionEventInvokeConfig':
        return this.#options.putEventInvokeConfig(name, request, true)
      case 'GetFunctionEventInvokeConfig':
        return this.#options.getEventInvokeConfig(name, query)
      case 'DeleteFunctionEventInvokeConfig':
        return this.#options.deleteEventInvokeConfig(name, query)
      case 'PutFunctionConcurrency':
        return this.#options.putConcurrency(name, request)
      case 'GetFunctionConcurrency':
        return this.#options.getConcurrency(name, query)
      case 'DeleteFunctionConcurrency':
        return this.#options.deleteConcurrency(name, query)
      case 'PutFunctionRecursionConfig':
        return this.#options.putRecursion(name, request)
      case 'GetFunctionRecursionConfig':
        return this.#options.getRecursion(name, query)
      case 'TagResource':
        return this.#options.tag(name, request)
      case 'UntagResource':
        return this.#options.untag(name, query)
      case 'ListTags':
        return this.#options.listTags(name, query)
      case 'PublishLayerVersion':
        return this.#layers.publish(name, request)
      case 'ListLayers':
        return this.#layers.list(query)
      case 'ListLayerVersions':
        return this.#layers.listVersions(name, query)
      case 'GetLayerVersion':
        return this.#layers.get(name, version)
      case 'GetLayerVersionByArn':
        return this.#layers.getByArn(name)
      case 'DeleteLayerVersion':
        return this.#layers.delete(name, version)
      case 'GetAccountSettings':
        return this.#accountSettings()
      default:
        throw new Error(`Lambda has a route but no answer for ${operation}`)
    }
  }

  #route({ method, path, query }: AwsRequest): Route {
    return routeOf(method, path, query) as Route
  }

  #delete(name: string, query: URLSearchParams): AwsAnswer {
    const { fn } = this.functions.find(name, query)
    const answer = this.functions.delete(name, query)
    if (!this.functions.has(fn)) this.#admission.reserve(fn.name, undefined)
    return answer
  }

  #accountSettings(): AwsAnswer {
    const { quotas } = this.#setting
    return jsonAnswer({
      AccountLimit: {
        TotalCodeSize: quotas.codeStorageBytes,
        CodeSizeUnzipped: UNZIPPED_LIMIT_BYTES,
        CodeSizeZipped: ZIPPED_LIMIT_BYTES,
        ConcurrentExecutions: quotas.concurrentExecutions,
        UnreservedConcurrentExecutions: this.#admission.unreserved,
      },
      AccountUsage: {
        TotalCodeSize: this.functions.codeBytes + this.#layers.codeBytes,
        FunctionCount: this.functions.all.length,
      },
    })
  }
}
