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

/** The canonical request of all requests with the same headers, but for date and body. */
interface Template {
  readonly method: string
  readonly path: string
  readonly token: string | undefined
  readonly names: string
  readonly before: string
  readonly after: string
  /** All headers but the date, names and values one after the other. */
  readonly fields: readonly string[]
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
  /** By the headers of requests: those that are sent many times are the same object. */
  readonly #templates = new WeakMap<object, Template>()
  #time = ''
  #second = 0

  constructor(region: string, service: string) {
    this.#region = region
    this.#service = service
  }

  /**
   * The headers to send: those of the request, date, token where there is one, and the signature. Names and values one after
   * the other, which costs less than an object.
   */
  sign(request: SignedRequest, keys: AwsKeys, date: Date): string[] {
    const time = this.#timeOf(date)
    const day = time.slice(0, 8)
    const { before, after, names, fields } = this.#templateOf(request, keys.sessionToken)
    const canonical = `${before}${time}${after}${hash('sha256', request.body, 'hex')}`
    const scope = `${day}/${this.#region}/${this.#service}/aws4_request`
    const text = `${ALGORITHM}\n${time}\n${scope}\n${hash('sha256', canonical, 'hex')}`
    const signature = hmacOf(this.#keyOf(keys, day), text)
    const credential = `${keys.accessKeyId}/${scope}`
    const authorization = `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`
    const signed = fields.slice()
    signed.push('x-amz-date', time, 'authorization', authorization)
    return signed
  }

  #templateOf({ method, path, headers }: SignedRequest, token: string | undefined): Template {
    const known = this.#templates.get(headers)
    if (known !== undefined && known.method === method && known.path === path && known.token === token)
      return known
    const all: Record<string, string> = { ...headers, 'x-amz-date': '' }
    if (token !== undefined) all['x-amz-security-token'] = token
    const sorted = Object.keys(all).sort()
    const lines = (some: readonly string[]) =>
      some.map(name => `${name}:${(all[name] as string).trim()}\n`).join('')
    const dateAt = sorted.indexOf('x-amz-date')
    const names = sorted.join(';')
    const template = {
      method,
      path,
      token,
      names,
      before: `${method}\n${path}\n\n${lines(sorted.slice(0, dateAt))}x-amz-date:`,
      after: `\n${lines(sorted.slice(dateAt + 1))}\n${names}\n`,
      fields: Object.entries(all).flatMap(([name, value]) => (name === 'x-amz-date' ? [] : [name, value])),
    }
    this.#templates.set(headers, template)
    return template
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
