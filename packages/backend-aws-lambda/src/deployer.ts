import type {
  CreateFunctionCommandInput,
  FunctionConfiguration,
  LambdaClient,
  Runtime,
} from '@aws-sdk/client-lambda'
import { noteFunctionBuild } from '@lithops/container-runtime'
import {
  type DriverLog,
  mergeSecrets,
  pause,
  RuntimeDeployError,
  SECRETS_ENVIRONMENT_NAME,
  type WorkerSecrets,
} from '@lithops/core/driver'
import type { AwsClients } from './clients.ts'
import type { AwsLambdaSettings } from './config.ts'
import type { PlannedImage } from './container-images.ts'
import { checkEnvironment, environmentOf } from './function-environment.ts'
import { type UploadedCode, uploadCode } from './upload-code.ts'
import { attempt, isNamed } from './vendor-errors.ts'
import type { WorkerCode } from './worker-code.ts'

/** The official waiters begin with a second and end with minutes between two looks. */
const WAITING = { minDelay: 0.3, maxDelay: 4, maxWaitTime: 300 } as const
/** A role that was just made, or the config of events of a function that was, may take so long to be seen everywhere. */
const CONSISTENT_AFTER_MS = 90_000
const LOOK_AGAIN_MS = 1_000
const UPDATE_ATTEMPTS = 8
const HANDLER = 'index.handler'

/** All that a function is made of. */
export interface FunctionPlan {
  readonly name: string
  readonly description: string
  /** Of Lambda; undefined for a container image. */
  readonly nodeRuntime: string | undefined
  readonly memoryMiB: number
  readonly code: WorkerCode
  /** The image that it runs, instead of `code` in a zip. */
  readonly image: PlannedImage | undefined
  /** It is made for functions, and has their code. Default: false. */
  readonly hasFunctions?: boolean
  readonly settings: AwsLambdaSettings
}

export interface EnsureOptions {
  /** Asked only when the function must be made. */
  readonly role: () => Promise<string>
  readonly secrets: readonly WorkerSecrets[]
  readonly signal?: AbortSignal | undefined
  readonly log: DriverLog
}

/** The Node line of Lambda that is nearest to the client's and that new functions may still have. */
export function nodeRuntimeFor(clientVersion: string): string {
  return Number(clientVersion.slice(1).split('.')[0]) >= 24 ? 'nodejs24.x' : 'nodejs22.x'
}

/** Makes functions, and brings their secrets up to date, together with any number of other programs that do the same. */
export class Deployer {
  readonly #clients: AwsClients

  constructor(clients: AwsClients) {
    this.#clients = clients
  }

  /** The function is there and active, with these secrets, when it resolves. */
  async ensure(plan: FunctionPlan, options: EnsureOptions): Promise<void> {
    const { name } = plan
    const { signal } = options
    const lambda = await this.#clients.lambda()
    const found = await this.#look(lambda, name, signal)
    if (found === undefined) {
      const isMine = await this.#create(lambda, plan, options)
      await this.#waitUntilActive(lambda, name, signal)
      if (isMine) {
        await this.#neverRunAgain(lambda, plan, signal)
        return
      }
    } else if (found.State !== 'Active' && found.State !== 'Inactive') {
      await this.#waitUntilActive(lambda, name, signal)
    }
    if (options.secrets.length > 0) await this.#placeSecrets(lambda, plan, options)
  }

  /** Undefined when there is no such function. */
  async #look(
    lambda: LambdaClient,
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<FunctionConfiguration | undefined> {
    const { GetFunctionConfigurationCommand } = await import('@aws-sdk/client-lambda')
    return attempt(`looking for the function ${name}`, signal, () =>
      lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name })).catch(error => {
        if (isNamed(error, 'ResourceNotFoundException')) return undefined
        throw error
      }),
    )
  }

  /** Returns false when another client was faster. */
  async #create(lambda: LambdaClient, plan: FunctionPlan, options: EnsureOptions): Promise<boolean> {
    const { secrets, signal, log } = options
    checkEnvironment(environmentOf(plan.settings, secrets))
    if (plan.hasFunctions === true) noteFunctionBuild({ log })
    if (plan.image !== undefined) {
      const uploaded = { code: { ImageUri: await plan.image.ensure(signal) } }
      const input = createInput(plan, { role: await options.role(), secrets, uploaded })
      return this.#createWith(lambda, input, signal)
    }
    const zip = await plan.code.zip({ signal, log })
    const role = await options.role()
    const uploaded = await uploadCode(zip, {
      clients: this.#clients,
      bucket: plan.settings.codeBucket,
      signal,
    })
    try {
      return await this.#createWith(lambda, createInput(plan, { role, secrets, uploaded }), signal)
    } finally {
      await uploaded.remove()
    }
  }

  async #createWith(
    lambda: LambdaClient,
    input: CreateFunctionCommandInput,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { CreateFunctionCommand } = await import('@aws-sdk/client-lambda')
    const endMs = performance.now() + CONSISTENT_AFTER_MS
    return attempt(`making the function ${input.FunctionName}`, signal, async () => {
      for (;;) {
        try {
          await lambda.send(new CreateFunctionCommand(input))
          return true
        } catch (error) {
          if (isNamed(error, 'ResourceConflictException')) return false
          if (!isRoleNotSeen(error) || performance.now() > endMs) throw error
          await pause(LOOK_AGAIN_MS, signal)
        }
      }
    })
  }

  async #waitUntilActive(lambda: LambdaClient, name: string, signal: AbortSignal | undefined): Promise<void> {
    const { waitUntilFunctionActiveV2 } = await import('@aws-sdk/client-lambda')
    await this.#wait(lambda, name, signal, () =>
      waitUntilFunctionActiveV2(
        { client: lambda, ...WAITING, ...(signal === undefined ? {} : { abortSignal: signal }) },
        { FunctionName: name },
      ),
    )
  }

  async #waitUntilUpdated(
    lambda: LambdaClient,
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { waitUntilFunctionUpdatedV2 } = await import('@aws-sdk/client-lambda')
    await this.#wait(lambda, name, signal, () =>
      waitUntilFunctionUpdatedV2(
        { client: lambda, ...WAITING, ...(signal === undefined ? {} : { abortSignal: signal }) },
        { FunctionName: name },
      ),
    )
  }

  /** The waiters' own errors do not say why a function is not to be had: Lambda does. */
  async #wait(
    lambda: LambdaClient,
    name: string,
    signal: AbortSignal | undefined,
    wait: () => Promise<unknown>,
  ): Promise<void> {
    try {
      await wait()
    } catch (cause) {
      signal?.throwIfAborted()
      const now = await this.#look(lambda, name, signal)
      const { State, StateReason, StateReasonCode, LastUpdateStatus } = now ?? {}
      const [reason, code] =
        LastUpdateStatus === 'Failed'
          ? [now?.LastUpdateStatusReason, now?.LastUpdateStatusReasonCode]
          : [StateReason, StateReasonCode]
      throw new RuntimeDeployError(
        now === undefined
          ? `The function ${name} was removed while it was being deployed.`
          : `The function ${name} did not become ready: state ${State ?? 'unknown'}, ${code ?? 'no code'}: ${reason ?? 'AWS gives no reason'}. ` +
              '`lithops runtime delete -b aws_lambda` removes it, so that it is made anew.',
        { details: { functionName: name, state: State, reasonCode: code }, cause },
      )
    }
  }

  /** Lambda would run events again that failed, up to twice: what runs again is core's to say. */
  async #neverRunAgain(
    lambda: LambdaClient,
    { name, settings }: FunctionPlan,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { PutFunctionEventInvokeConfigCommand } = await import('@aws-sdk/client-lambda')
    const endMs = performance.now() + CONSISTENT_AFTER_MS
    await attempt(`switching off Lambda's own retries of ${name}`, signal, async () => {
      for (;;) {
        try {
          await lambda.send(
            new PutFunctionEventInvokeConfigCommand({
              FunctionName: name,
              MaximumRetryAttempts: 0,
              MaximumEventAgeInSeconds: settings.maximumEventAgeS,
            }),
          )
          return
        } catch (error) {
          const mayPass = isNamed(error, 'ResourceNotFoundException', 'ResourceConflictException')
          if (!mayPass || performance.now() > endMs) throw error
          await pause(LOOK_AGAIN_MS, signal)
        }
      }
    })
  }

  /** Puts secrets into the environment beside those that were placed before, unless they are there. */
  async #placeSecrets(lambda: LambdaClient, plan: FunctionPlan, options: EnsureOptions): Promise<void> {
    const { UpdateFunctionConfigurationCommand } = await import('@aws-sdk/client-lambda')
    const { name } = plan
    const { signal, secrets } = options
    for (let tries = 0; ; tries++) {
      const now = await this.#look(lambda, name, signal)
      if (now?.LastUpdateStatus === 'InProgress') {
        await this.#waitUntilUpdated(lambda, name, signal)
        continue
      }
      const variables = now?.Environment?.Variables ?? {}
      const merged = mergeSecrets(variables[SECRETS_ENVIRONMENT_NAME], secrets)
      if (merged === variables[SECRETS_ENVIRONMENT_NAME]) return
      const environment = { ...variables, [SECRETS_ENVIRONMENT_NAME]: merged }
      checkEnvironment(environment)
      const isDone = await attempt(`placing secrets with the function ${name}`, signal, async () => {
        try {
          await lambda.send(
            new UpdateFunctionConfigurationCommand({
              FunctionName: name,
              Environment: { Variables: environment },
              ...(now?.RevisionId === undefined ? {} : { RevisionId: now.RevisionId }),
            }),
          )
          return true
        } catch (error) {
          // another client is doing the same
          const mayPass = isNamed(error, 'ResourceConflictException', 'PreconditionFailedException')
          if (!mayPass || tries >= UPDATE_ATTEMPTS) throw error
          return false
        }
      })
      if (!isDone) await pause(LOOK_AGAIN_MS * (0.2 + Math.random()), signal)
      await this.#waitUntilUpdated(lambda, name, signal)
      if (isDone) return
    }
  }
}

function createInput(
  plan: FunctionPlan,
  {
    role,
    secrets,
    uploaded,
  }: {
    readonly role: string
    readonly secrets: readonly WorkerSecrets[]
    readonly uploaded: Pick<UploadedCode, 'code'>
  },
): CreateFunctionCommandInput {
  const { name, description, nodeRuntime, memoryMiB, settings } = plan
  const environment = environmentOf(settings, secrets)
  return {
    FunctionName: name,
    Description: description,
    ...(nodeRuntime === undefined
      ? { PackageType: 'Image' as const }
      : { Runtime: nodeRuntime as Runtime, Handler: HANDLER }),
    Role: role,
    Code: uploaded.code,
    MemorySize: memoryMiB,
    Timeout: settings.timeoutMs / 1000,
    Architectures: [settings.architecture],
    EphemeralStorage: { Size: settings.ephemeralMiB },
    ...(Object.keys(environment).length === 0 ? {} : { Environment: { Variables: environment } }),
    ...(Object.keys(settings.tags).length === 0 ? {} : { Tags: { ...settings.tags } }),
    ...(settings.vpc === undefined
      ? {}
      : {
          VpcConfig: {
            SubnetIds: [...settings.vpc.subnets],
            SecurityGroupIds: [...settings.vpc.securityGroups],
          },
        }),
    ...(settings.fileSystems.length === 0
      ? {}
      : {
          FileSystemConfigs: settings.fileSystems.map(({ accessPoint, mountPath }) => ({
            Arn: accessPoint,
            LocalMountPath: mountPath,
          })),
        }),
  }
}

/** From: "The role defined for the function cannot be assumed by Lambda." */
function isRoleNotSeen(error: unknown): boolean {
  return (
    isNamed(error, 'InvalidParameterValueException') &&
    /cannot be assumed by Lambda/i.test((error as Error).message)
  )
}
