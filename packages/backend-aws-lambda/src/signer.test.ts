import { createHash } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import { expect, test } from 'vitest'
import { type AwsKeys, type SignedRequest, Signer } from './signer.ts'

// The suite of test vectors of AWS for signature version 4: keys, region, service and date are the same in all.
const KEYS: AwsKeys = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
const DATE = new Date('2015-08-30T12:36:00Z')
const HOST = { host: 'example.amazonaws.com' }
/** The headers by name. */
function sign(signer: Signer, request: SignedRequest, keys: AwsKeys, date: Date): Record<string, string> {
  const fields = signer.sign(request, keys, date.getTime())
  return Object.fromEntries(fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1] ?? '']] : [])))
}

const SCOPE = 'AKIDEXAMPLE/20150830/us-east-1/service/aws4_request'

test.each([
  ['get-vanilla', 'GET', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  ['post-vanilla', 'POST', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
])('signs as AWS does: %s', (_, method, signature) => {
  const signer = new Signer('us-east-1', 'service')
  const signed = sign(signer, { method, path: '/', headers: HOST, body: '' }, KEYS, DATE)
  expect(signed['x-amz-date']).toBe('20150830T123600Z')
  expect(signed.authorization).toBe(
    `AWS4-HMAC-SHA256 Credential=${SCOPE}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  )
})

/** Node's hash in the form that the official signer takes. */
class Sha256 {
  readonly #hash: ReturnType<typeof createHash>
  readonly #secret: Uint8Array | undefined
  readonly #parts: Uint8Array[] = []

  constructor(secret?: string | Uint8Array) {
    this.#hash = createHash('sha256')
    this.#secret = secret === undefined ? undefined : Buffer.from(secret as string)
  }

  update(data: string | Uint8Array): void {
    this.#parts.push(Buffer.from(data as string))
  }

  async digest(): Promise<Uint8Array> {
    const data = Buffer.concat(this.#parts)
    if (this.#secret === undefined) return this.#hash.update(data).digest()
    const { createHmac } = await import('node:crypto')
    return createHmac('sha256', this.#secret).update(data).digest()
  }

  reset(): void {}
}

test('signs invocations as the official signer does, with and without a token, also when keys and days change', async () => {
  const signer = new Signer('eu-west-1', 'lambda')
  const bodies = ['', '"TFQB"', JSON.stringify({ ünïcödé: '漢字' })]
  for (const [i, sessionToken] of [undefined, 'a token/+=', undefined].entries()) {
    for (const body of bodies) {
      const keys = { ...KEYS, secretAccessKey: `secret ${i}`, ...(sessionToken && { sessionToken }) }
      const date = new Date(Date.UTC(2026, 10, 27 + i, 23, 59, 59))
      const path = '/2015-03-31/functions/lithops_v0-1-0_abcd_default_256_0123456789ab/invocations'
      const headers = {
        'content-type': 'application/json',
        host: 'lambda.eu-west-1.amazonaws.com',
        'x-amz-invocation-type': 'RequestResponse',
        'x-amz-log-type': 'Tail',
      }
      const official = new SignatureV4({
        credentials: keys,
        region: 'eu-west-1',
        service: 'lambda',
        sha256: Sha256 as never,
        applyChecksum: false,
      })
      const wanted = await official.sign(
        { method: 'POST', protocol: 'https:', hostname: headers.host, path, headers, body } as never,
        { signingDate: date },
      )
      const signed = sign(signer, { method: 'POST', path, headers, body }, keys, date)
      expect(signed.authorization).toBe(
        (wanted as never as { headers: Record<string, string> }).headers.authorization,
      )
    }
  }
})

test('requests with the same headers object are signed anew for each time, key, token, method and path', () => {
  const headers = { ...HOST, 'x-amz-log-type': 'Tail' }
  const first = { method: 'POST', path: '/one', headers, body: 'text' }
  const cases: [SignedRequest, AwsKeys, number][] = [
    [first, KEYS, 0],
    [{ ...first, body: 'another' }, KEYS, 0],
    [first, KEYS, 1_000],
    [first, KEYS, 86_400_000],
    [first, { ...KEYS, secretAccessKey: 'another' }, 86_400_000],
    [first, { ...KEYS, accessKeyId: 'AKIDANOTHER' }, 86_400_000],
    [first, { ...KEYS, sessionToken: 'a token' }, 86_400_000],
    [first, { ...KEYS, sessionToken: 'another token' }, 86_400_000],
    [first, KEYS, 86_400_000],
    [{ ...first, path: '/two' }, KEYS, 86_400_000],
    [{ ...first, method: 'PUT' }, KEYS, 86_400_000],
    [first, KEYS, 0],
  ]
  const signer = new Signer('eu-west-1', 'lambda')
  for (const [request, keys, laterMs] of cases) {
    const atMs = DATE.getTime() + laterMs
    const anew = new Signer('eu-west-1', 'lambda').sign({ ...request, headers: { ...headers } }, keys, atMs)
    expect(signer.sign(request, keys, atMs)).toEqual(anew)
  }
})
