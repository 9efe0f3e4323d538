import {
  AnonymousCredential,
  BlobServiceClient,
  newPipeline,
  type RequestPolicyFactory,
  StorageSharedKeyCredential,
} from '@azure/storage-blob'
import { ConfigError, HttpAgents } from '@lithops/core/driver'
import type { AzureAccess } from './config.ts'

type Credential = BlobServiceClient['credential']

/** Tries of one block of an upload, in all. Its bytes are in memory, so only that block is sent again. */
const BLOCK_TRIES = 5
const FIRST_PAUSE_MS = 200
const MAX_PAUSE_MS = 5_000

/**
 * The vendor's clients of one storage, over one pool of connections. `single` tries everything once, as core retries.
 * `blocks` is for uploads of several requests: core cannot repeat them, so the SDK does.
 */
export class AzureClients {
  readonly single: BlobServiceClient
  readonly blocks: BlobServiceClient
  readonly #agents: HttpAgents

  private constructor(
    agents: HttpAgents,
    account: { readonly url: string; readonly credential: Credential },
  ) {
    const { url, credential } = account
    const open = (retryOptions: object) => {
      const pipeline = newPipeline(credential, { retryOptions })
      pipeline.factories.push(connectingBy(agents))
      return new BlobServiceClient(url, pipeline)
    }
    this.#agents = agents
    this.single = open({ maxTries: 1 })
    this.blocks = open({
      maxTries: BLOCK_TRIES,
      retryDelayInMs: FIRST_PAUSE_MS,
      maxRetryDelayInMs: MAX_PAUSE_MS,
    })
  }

  /** Throws ConfigError for a connection string that is none. */
  static async open(
    access: AzureAccess,
    options: { readonly idleTimeoutMs?: number } = {},
  ): Promise<AzureClients> {
    const account = await accountOf(access)
    return new AzureClients(new HttpAgents(options), account)
  }

  /** May be called twice. */
  close(): void {
    this.#agents.close()
  }
}

/** Requests go over connections that are this storage's own; the SDK shares its connections and never closes them. */
function connectingBy(agents: HttpAgents): RequestPolicyFactory {
  return {
    create: next => ({
      sendRequest(request) {
        request.agent = request.url.startsWith('https:') ? agents.https : agents.http
        return next.sendRequest(request)
      },
    }),
  }
}

async function accountOf(
  access: AzureAccess,
): Promise<{ readonly url: string; readonly credential: Credential }> {
  switch (access.kind) {
    case 'connection string':
      return ofConnectionString(access.connectionString)
    case 'key':
      return { url: access.url, credential: new StorageSharedKeyCredential(access.account, access.key) }
    case 'sas':
      return { url: `${access.url}?${access.token}`, credential: new AnonymousCredential() }
    case 'identity': {
      // a large package, of use only here
      const { DefaultAzureCredential } = await import('@azure/identity')
      return { url: access.url, credential: new DefaultAzureCredential() }
    }
  }
}

function ofConnectionString(connectionString: string) {
  try {
    return BlobServiceClient.fromConnectionString(connectionString)
  } catch (error) {
    // not the cause: it may hold the key
    throw new ConfigError(
      `azure_storage.connection_string is not one of a storage account (${(error as Error).name}): copy it from the account's page 'Access keys'.`,
    )
  }
}
