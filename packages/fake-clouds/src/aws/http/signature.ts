import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { AccessKey, Credentials } from './credentials.ts'

const CLOCK_SKEW_MS = 5 * 60 * 1000

/** Why a signature was not taken; each protocol has its own names for these. */
export type SignatureProblem = 'missing' | 'incomplete' | 'unknown key' | 'wrong' | 'expired token'

export class SignatureError extends Error {
  readonly problem: SignatureProblem

  constructor(problem: SignatureProblem, message: string) {
    super(message)
    this.name = 'SignatureError'
    this.problem = problem
  }
}

/** What a signature covers, as it came over the wire. */
export interface SignedRequest {
  readonly method: string
  /** Path and query as sent. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
}

export interface CredentialScope {
  readonly accessKeyId: string
  readonly date: string
  readonly region: string
  readonly service: string
}

interface Authorization extends CredentialScope {
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([0-9a-f]{64})$/

/** Of the Authorization header; undefined when it is not one of Signature Version 4. */
export function credentialScope(headers: IncomingHttpHeaders): CredentialScope | undefined {
  return parseAuthorization(headers.authorization)
}

/**
 * Checks a signature of AWS Signature Version 4 and returns the key that made it. Throws `SignatureError` with AWS's own
 * words. From: "Create a signed AWS API request" of the IAM user guide; the path is encoded twice, as for every service
 * but S3.
 */
export function verifySignature(
  request: SignedRequest,
  options: { readonly credentials: Credentials; readonly regions: readonly string[]; readonly nowMs: number },
): AccessKey {
  const { headers } = request
  if (headers.authorization === undefined) throw new SignatureError('missing', 'Missing Authentication Token')
  const authorization = parseAuthorization(headers.authorization)
  const stamp = headers['x-amz-date']
  if (authorization === undefined || typeof stamp !== 'string') {
    throw new SignatureError('incomplete', 'Authorization header requires a complete Signature Version 4.')
  }
  const key = options.credentials.find(authorization.accessKeyId)
  if (key === undefined || headers['x-amz-security-token'] !== key.sessionToken) {
    throw new SignatureError('unknown key', 'The security token included in the request is invalid.')
  }
  if (options.credentials.isExpired(key)) {
    throw new SignatureError('expired token', 'The security token included in the request is expired')
  }
  if (!options.regions.includes(authorization.region)) {
    throw new SignatureError('wrong', 'Credential should be scoped to a valid region. ')
  }
  checkClock(stamp, authorization, options.nowMs)
  const expected = sign(request, authorization, stamp, key.secretAccessKey)
  if (!timingSafeEqual(Buffer.from(expected), Buffer.from(authorization.signature))) {
    throw new SignatureError(
      'wrong',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    )
  }
  return key
}

function parseAuthorization(header: string | undefined): Authorization | undefined {
  const match = AUTHORIZATION.exec(header ?? '')
  if (match === null) return undefined
  const [, accessKeyId = '', date = '', region = '', service = '', signedHeaders = '', signature = ''] = match
  return { accessKeyId, date, region, service, signedHeaders: signedHeaders.split(';'), signature }
}

function checkClock(stamp: string, { date }: CredentialScope, nowMs: number): void {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp)
  if (match === null || !stamp.startsWith(date)) {
    throw new SignatureError('wrong', "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" + date + "' != '" + stamp.slice(0, 8) + "'") // biome-ignore format: one sentence
  }
  const [, year, month, day, hour, minute, second] = match.map(Number) as [number, ...number[]]
  const signedMs = Date.UTC(year as number, (month as number) - 1, day, hour, minute, second)
  if (signedMs < nowMs - CLOCK_SKEW_MS) {
    const limit = `${amzDate(nowMs - CLOCK_SKEW_MS)} (${amzDate(nowMs)} - 5 min.)`
    throw new SignatureError('wrong', `Signature expired: ${stamp} is now earlier than ${limit}`)
  }
  if (signedMs > nowMs + CLOCK_SKEW_MS) {
    const limit = `${amzDate(nowMs + CLOCK_SKEW_MS)} (${amzDate(nowMs)} + 5 min.)`
    throw new SignatureError('wrong', `Signature not yet current: ${stamp} is still later than ${limit}`)
  }
}

function amzDate(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

function sign(
  request: SignedRequest,
  { date, region, service, signedHeaders }: Authorization,
  stamp: string,
  secretAccessKey: string,
): string {
  const canonical = canonicalRequest(request, signedHeaders)
  const text = `AWS4-HMAC-SHA256\n${stamp}\n${date}/${region}/${service}/aws4_request\n${sha256(canonical)}`
  const parts = [date, region, service, 'aws4_request']
  const key = parts.reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`)
  return hmac(key, text).toString('hex')
}

function canonicalRequest({ method, url, headers, body }: SignedRequest, signed: readonly string[]): string {
  const [path = '/', query = ''] = url.split(/\?(.*)/s)
  const lines = signed.map(
    name =>
      `${name}:${String(headers[name] ?? '')
        .trim()
        .replace(/ +/g, ' ')}\n`,
  )
  return [
    method,
    path.split('/').map(encodeRfc3986).join('/'),
    canonicalQuery(query),
    lines.join(''),
    signed.join(';'),
    sha256(body),
  ].join('\n')
}

function canonicalQuery(query: string): string {
  const pairs = query
    .split('&')
    .filter(pair => pair !== '')
    .map(pair => {
      const [name = '', value = ''] = pair.split(/=(.*)/s)
      return [encodeRfc3986(decode(name)), encodeRfc3986(decode(value))] as const
    })
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return pairs
    .sort((a, b) => order(a[0], b[0]) || order(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}

function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}
