import type { FunctionConfiguration } from '@aws-sdk/client-lambda'
import type {
  CleanOptions,
  DeleteOptions,
  DriverLog,
  RuntimeListing,
  RuntimeSpec,
} from '@lithops/core/driver'
import type { AwsClients } from './clients.ts'
import type { ContainerImages } from './container-images.ts'
import { type FunctionNaming, factsIn, logGroupOf, namePattern, namePrefix, roleName } from './names.ts'
import { removeRole } from './role.ts'
import { attempt, isNamed } from './vendor-errors.ts'

/** Removals at once: Lambda takes 15 requests per second. */
const REMOVALS_AT_ONCE = 4

interface DeployedFunction extends RuntimeListing {
  readonly memoryMiB: number
}

/** What this user has deployed, and how it is removed: nothing of other users, and nothing of other tools. */
export class Inventory {
  readonly #clients: AwsClients
  readonly #naming: FunctionNaming
  readonly #images: ContainerImages
  readonly #log: DriverLog

  constructor(clients: AwsClients, naming: FunctionNaming, images: ContainerImages, log: DriverLog) {
    this.#images = images
    this.#clients = clients
    this.#naming = naming
    this.#log = log
  }

  async functions(signal?: AbortSignal): Promise<DeployedFunction[]> {
    const client = await this.#clients.lambda()
    const { paginateListFunctions } = await import('@aws-sdk/client-lambda')
    return attempt('listing functions', signal, async () => {
      const found: DeployedFunction[] = []
      for await (const page of paginateListFunctions({ client }, {})) {
        signal?.throwIfAborted()
        for (const one of page.Functions ?? []) {
          const listing = this.#listingOf(one)
          if (listing !== undefined) found.push(listing)
        }
      }
      return found
    })
  }

  #listingOf(fn: FunctionConfiguration) {
    const { FunctionName = '', Description, MemorySize = 0 } = fn
    const facts = factsIn(Description)
    if (facts === undefined || !namePattern(this.#naming).test(FunctionName)) return undefined
    const { runtime: name, version, functions = [] } = facts
    const brought = functions.length === 0 ? {} : { functions }
    return {
      name,
      version,
      memoryMiB: MemorySize,
      workerName: FunctionName,
      ...brought,
      details: detailsOf(fn),
    }
  }

  /** Removes all functions of one runtime and memory, or one of them. Returns their names. */
  async removeRuntime(
    { name, memoryMiB }: RuntimeSpec,
    { workerName, signal }: Omit<DeleteOptions, 'isReplaced'> = {},
  ): Promise<string[]> {
    const all = await this.functions(signal)
    const mine = all.filter(
      fn =>
        fn.name === name &&
        (memoryMiB === undefined || fn.memoryMiB === memoryMiB) &&
        (workerName === undefined || fn.workerName === workerName),
    )
    const names = mine.map(fn => fn.workerName)
    await atOnce(names, one => this.#removeFunction(one, signal))
    return names
  }

  /** Removes functions, log groups, images, and the role that was made. Returns what was, or would be, removed. */
  async clean({ dryRun = false, signal }: CleanOptions): Promise<string[]> {
    const functions = (await this.functions(signal)).map(({ workerName }) => workerName)
    if (!dryRun) await atOnce(functions, name => this.#removeFunction(name, signal))
    const groups = await this.#optional('removing log groups', async () => {
      const found = await this.#logGroups()
      if (!dryRun) await atOnce(found, name => this.#removeLogGroup(name))
      return found
    })
    const role = roleName(this.#naming)
    const roles = await this.#optional(`removing the role ${role}`, async () =>
      (await removeRole(this.#clients, role, { dryRun })) ? [`role ${role}`] : [],
    )
    const repositories = await this.#optional('removing images', async () => {
      const found = await this.#images.repositories(signal)
      if (!dryRun) await atOnce(found, name => this.#images.removeRepository(name))
      return found.map(name => `repository ${name}`)
    })
    return [...functions, ...groups, ...roles, ...repositories]
  }

  async #removeFunction(name: string, signal: AbortSignal | undefined): Promise<void> {
    const client = await this.#clients.lambda()
    const { DeleteFunctionCommand } = await import('@aws-sdk/client-lambda')
    await attempt(`removing the function ${name}`, signal, () =>
      client
        .send(new DeleteFunctionCommand({ FunctionName: name }))
        .catch(ignore('ResourceNotFoundException')),
    )
  }

  async #logGroups(): Promise<string[]> {
    const client = await this.#clients.logs()
    const { paginateDescribeLogGroups } = await import('@aws-sdk/client-cloudwatch-logs')
    const prefix = logGroupOf('')
    const found: string[] = []
    const logGroupNamePrefix = logGroupOf(namePrefix(this.#naming.namespace))
    for await (const page of paginateDescribeLogGroups({ client }, { logGroupNamePrefix })) {
      for (const { logGroupName = '' } of page.logGroups ?? [])
        if (namePattern(this.#naming).test(logGroupName.slice(prefix.length))) found.push(logGroupName)
    }
    return found
  }

  async #removeLogGroup(name: string): Promise<void> {
    const client = await this.#clients.logs()
    const { DeleteLogGroupCommand } = await import('@aws-sdk/client-cloudwatch-logs')
    await client
      .send(new DeleteLogGroupCommand({ logGroupName: name }))
      .catch(ignore('ResourceNotFoundException'))
  }

  /** What the caller may not touch is left, with a word about it. */
  async #optional(step: string, act: () => Promise<string[]>): Promise<string[]> {
    try {
      return await act()
    } catch (error) {
      if (!isNamed(error, 'AccessDeniedException', 'AccessDenied')) throw error
      this.#log.warn(`${step} was left out: ${(error as Error).message}`)
      return []
    }
  }
}

function ignore(name: string): (error: unknown) => void {
  return error => {
    if (!isNamed(error, name)) throw error
  }
}

async function atOnce<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = items.values()
  const work = async () => {
    for (const item of left) await act(item)
  }
  await Promise.all(Array.from({ length: Math.min(REMOVALS_AT_ONCE, items.length) }, work))
}

function detailsOf({
  Architectures: [architecture] = [],
  Timeout: timeoutS,
  Runtime: node,
  EphemeralStorage: { Size: storageMiB } = { Size: undefined },
  LastModified: changed,
}: FunctionConfiguration): Readonly<Record<string, string>> {
  return {
    node: node ?? 'image',
    ...(architecture === undefined ? {} : { architecture }),
    ...(timeoutS === undefined ? {} : { timeout: `${timeoutS} s` }),
    ...(storageMiB === undefined ? {} : { disk: `${storageMiB} MiB` }),
    ...(changed === undefined ? {} : { deployed: changed.replace(/\..*$/, '') }),
  }
}
