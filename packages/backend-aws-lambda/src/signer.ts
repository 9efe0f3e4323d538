import { createHash, createHmac } from 'node:crypto'

/** Keys as the SDK's providers give them. */
export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export interface SignedRequest {
  readonly method: string
  /** Path as it is sent, encoded; without a query. */
  readonly path: string
  /** By lower-case names, in the order of the names; with `host`. Date and token are added. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/**
 * Signature version 4 for one service in one region. The day's signing key and the list of headers are kept, so that a
 * signature is two hashes and an HMAC.
 * From: "Create a signed AWS API request" of the IAM user guide.
 */
export class Signer {
  readonly #region: string
  readonly #service: string
  #key: { readonly of: AwsKeys; readonly day: string; readonly bytes: Buffer } | undefined

  constructor(region: string, service: string) {
    this.#region = region
    this.#service = service
  }

  /** The headers to send: those of the request, date, token where there is one, and the signature. */
  sign({ method, path, headers, body }: SignedRequest, keys: AwsKeys, date: Date): Record<string, string> {
    const time = date.toISOString().replace(/[-:]|\.\d{3}/g, '')
    const day = time.slice(0, 8)
    const all: Record<string, string> = { ...headers, 'x-amz-date': time }
    if (keys.sessionToken !== undefined) all['x-amz-security-token'] = keys.sessionToken
    const names = Object.keys(all).sort()
    const signedHeaders = names.join(';')
    let canonical = `${method}\n${path}\n\n`
    for (const name of names) canonical += `${name}:${(all[name] as string).trim()}\n`
    canonical += `\n${signedHeaders}\n${sha256(body)}`
    const scope = `${day}/${this.#region}/${this.#service}/aws4_request`
    const signature = createHmac('sha256', this.#keyOf(keys, day))
      .update(`${ALGORITHM}\n${time}\n${scope}\n${sha256(canonical)}`)
      .digest('hex')
    all.authorization = `${ALGORITHM} Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`
    return all
  }

  #keyOf(keys: AwsKeys, day: string): Buffer {
    if (this.#key?.of.secretAccessKey !== keys.secretAccessKey || this.#key.day !== day) {
      let bytes: Buffer = Buffer.from(`AWS4${keys.secretAccessKey}`)
      for (const part of [day, this.#region, this.#service, 'aws4_request'])
        bytes = createHmac('sha256', bytes).update(part).digest()
      this.#key = { of: keys, day, bytes }
    }
    return this.#key.bytes
  }
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}
