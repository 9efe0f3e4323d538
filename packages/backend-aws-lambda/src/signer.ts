import { createHmac, hash } from 'node:crypto'

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
const HMAC_BLOCK_BYTES = 64
const INNER_PAD = 0x36
const OUTER_PAD = 0x5c

/** A key of HMAC-SHA-256, as the two blocks that go before a message. */
interface HmacKey {
  readonly inner: Buffer
  readonly outer: Buffer
}

/**
 * Signature version 4 for one service in one region. The day's signing key is kept, so that a signature is a few hashes,
 * each in one call: objects of hashes and HMACs cost several times as much.
 * From: "Create a signed AWS API request" of the IAM user guide.
 */
export class Signer {
  readonly #region: string
  readonly #service: string
  #key: { readonly of: AwsKeys; readonly day: string; readonly hmac: HmacKey } | undefined
  #time = ''
  #second = 0

  constructor(region: string, service: string) {
    this.#region = region
    this.#service = service
  }

  /** The headers to send: those of the request, date, token where there is one, and the signature. */
  sign({ method, path, headers, body }: SignedRequest, keys: AwsKeys, date: Date): Record<string, string> {
    const time = this.#timeOf(date)
    const day = time.slice(0, 8)
    const all: Record<string, string> = { ...headers, 'x-amz-date': time }
    if (keys.sessionToken !== undefined) all['x-amz-security-token'] = keys.sessionToken
    const names = Object.keys(all).sort()
    const signedHeaders = names.join(';')
    let canonical = `${method}\n${path}\n\n`
    for (const name of names) canonical += `${name}:${(all[name] as string).trim()}\n`
    canonical += `\n${signedHeaders}\n${hash('sha256', body, 'hex')}`
    const scope = `${day}/${this.#region}/${this.#service}/aws4_request`
    const text = `${ALGORITHM}\n${time}\n${scope}\n${hash('sha256', canonical, 'hex')}`
    const signature = hmacOf(this.#keyOf(keys, day), text)
    all.authorization = `${ALGORITHM} Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`
    return all
  }

  #timeOf(date: Date): string {
    const second = Math.floor(date.getTime() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#time = date.toISOString().replace(/[-:]|\.\d{3}/g, '')
    }
    return this.#time
  }

  #keyOf(keys: AwsKeys, day: string): HmacKey {
    if (this.#key?.of.secretAccessKey !== keys.secretAccessKey || this.#key.day !== day) {
      let bytes: Buffer = Buffer.from(`AWS4${keys.secretAccessKey}`)
      for (const part of [day, this.#region, this.#service, 'aws4_request'])
        bytes = createHmac('sha256', bytes).update(part).digest()
      this.#key = {
        of: keys,
        day,
        hmac: { inner: padded(bytes, INNER_PAD), outer: padded(bytes, OUTER_PAD) },
      }
    }
    return this.#key.hmac
  }
}

/** From: RFC 2104. */
function padded(key: Buffer, pad: number): Buffer {
  const block = Buffer.alloc(HMAC_BLOCK_BYTES, pad)
  for (const [i, byte] of key.entries()) block[i] = byte ^ pad
  return block
}

function hmacOf({ inner, outer }: HmacKey, text: string): string {
  const digest = hash('sha256', Buffer.concat([inner, Buffer.from(text)]), 'buffer')
  return hash('sha256', Buffer.concat([outer, digest]), 'hex')
}
