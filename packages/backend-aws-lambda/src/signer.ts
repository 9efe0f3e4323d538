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
const HASH_BYTES = 32
/** Of a hash in hexadecimal digits. */
const HEX_BYTES = 64
const INNER_PAD = 0x36
const OUTER_PAD = 0x5c

/** A key of HMAC-SHA-256, as the two blocks that go before a message. */
interface HmacKey {
  readonly inner: Buffer
  readonly outer: Buffer
}

/**
 * Signature version 4 for one service in one region. The day's signing key is kept, and what requests with the same headers have
 * alike within a second: a signature is four hashes then, each in one call, since objects of hashes and HMACs cost several times as much.
 * From: "Create a signed AWS API request" of the IAM user guide.
 */
export class Signer {
  readonly #region: string
  readonly #service: string
  #key: { readonly of: AwsKeys; readonly day: string; readonly hmac: HmacKey } | undefined
  /** By the headers of requests: those that are sent many times are the same object. */
  readonly #drafts = new WeakMap<object, Draft>()
  #time = ''
  #second = 0

  constructor(region: string, service: string) {
    this.#region = region
    this.#service = service
  }

  /**
   * The headers to send at that time, in milliseconds since 1970: those of the request, date, token where there is one, and the
   * signature. Names and values one after the other, which costs less than an object.
   */
  sign(request: SignedRequest, keys: AwsKeys, nowMs: number): string[] {
    const time = this.#timeOf(nowMs)
    let draft = this.#drafts.get(request.headers)
    if (draft === undefined || !draft.fits(request, keys, time)) {
      const day = time.slice(0, 8)
      const scope = `${day}/${this.#region}/${this.#service}/aws4_request`
      draft = new Draft(request, { keys, time, scope, hmac: this.#keyOf(keys, day) })
      this.#drafts.set(request.headers, draft)
    }
    return draft.sign(request.body)
  }

  #timeOf(nowMs: number): string {
    const second = Math.floor(nowMs / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#time = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
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

interface SigningFacts {
  readonly keys: AwsKeys
  readonly time: string
  readonly scope: string
  readonly hmac: HmacKey
}

/** What all requests of one second with the same headers have alike: all that is hashed but for the body's hash. */
class Draft {
  readonly #method: string
  readonly #path: string
  readonly #keys: AwsKeys
  readonly #time: string
  /** The canonical request; its last bytes are the hash of the body. */
  readonly #canonical: Buffer
  /** The inner block of the key and the string to sign; its last bytes are the hash of the canonical request. */
  readonly #inner: Buffer
  /** The outer block of the key and the inner hash. */
  readonly #outer: Buffer
  /** All headers but the signature, names and values one after the other. */
  readonly #fields: readonly string[]
  readonly #authorization: string

  constructor({ method, path, headers }: SignedRequest, { keys, time, scope, hmac }: SigningFacts) {
    this.#method = method
    this.#path = path
    this.#keys = keys
    this.#time = time
    const all: Record<string, string> = { ...headers, 'x-amz-date': time }
    if (keys.sessionToken !== undefined) all['x-amz-security-token'] = keys.sessionToken
    const sorted = Object.keys(all).sort()
    const lines = sorted.map(name => `${name}:${(all[name] as string).trim()}\n`).join('')
    const names = sorted.join(';')
    const room = Buffer.alloc(HEX_BYTES)
    this.#canonical = Buffer.concat([Buffer.from(`${method}\n${path}\n\n${lines}\n${names}\n`), room])
    this.#inner = Buffer.concat([hmac.inner, Buffer.from(`${ALGORITHM}\n${time}\n${scope}\n`), room])
    this.#outer = Buffer.concat([hmac.outer, Buffer.alloc(HASH_BYTES)])
    this.#fields = Object.entries(all).flat()
    this.#authorization = `${ALGORITHM} Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=`
  }

  fits({ method, path }: SignedRequest, keys: AwsKeys, time: string): boolean {
    const own = this.#keys
    return (
      this.#time === time &&
      this.#path === path &&
      this.#method === method &&
      own.secretAccessKey === keys.secretAccessKey &&
      own.accessKeyId === keys.accessKeyId &&
      own.sessionToken === keys.sessionToken
    )
  }

  sign(body: string | Uint8Array): string[] {
    const canonical = this.#canonical
    const inner = this.#inner
    const outer = this.#outer
    canonical.write(hash('sha256', body, 'hex'), canonical.length - HEX_BYTES, 'latin1')
    inner.write(hash('sha256', canonical, 'hex'), inner.length - HEX_BYTES, 'latin1')
    outer.write(hash('sha256', inner, 'binary'), HMAC_BLOCK_BYTES, 'latin1')
    const signed = this.#fields.slice()
    signed.push('authorization', this.#authorization + hash('sha256', outer, 'hex'))
    return signed
  }
}

/** From: RFC 2104. */
function padded(key: Buffer, pad: number): Buffer {
  const block = Buffer.alloc(HMAC_BLOCK_BYTES, pad)
  for (const [i, byte] of key.entries()) block[i] = byte ^ pad
  return block
}
