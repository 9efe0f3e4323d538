import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { GcsError } from './gcs-error.ts'
import { type GcsAccount, isSignedBy, type ServiceAccounts } from './service-accounts.ts'

/** Whose signature a URL has. From: Google Cloud Storage, "V4 signing process with your own program". */
export function signerOf(request: IncomingMessage, url: URL, accounts: ServiceAccounts): GcsAccount {
  const query = url.searchParams
  const text = (name: string) => query.get(name) ?? ''
  const [email = '', ...scope] = text('X-Goog-Credential').split('/')
  const account = accounts.get(email)
  const date = text('X-Goog-Date')
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? []
  const expires = Number(text('X-Goog-Expires'))
  const begin = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`)
  if (account === undefined || !(expires > 0 && expires <= 604_800) || Number.isNaN(begin)) {
    throw new GcsError(403, 'SignatureDoesNotMatch', 'Access denied.')
  }
  if (accounts.nowMs > begin + expires * 1000) {
    throw new GcsError(400, 'ExpiredToken', 'The provided token has expired.')
  }
  const signed = text('X-Goog-SignedHeaders').split(';')
  const headers = signed.map(name => {
    // the port is no part of what is signed
    const value = name === 'host' ? String(request.headers.host).replace(/:\d+$/, '') : request.headers[name]
    return `${name}:${value}\n`
  })
  const canonical = [
    request.method,
    url.pathname,
    [...query]
      .filter(([name]) => name !== 'X-Goog-Signature')
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join('&'),
    headers.join(''),
    signed.join(';'),
    'UNSIGNED-PAYLOAD',
  ].join('\n')
  const hash = createHash('sha256').update(canonical).digest('hex')
  const toSign = ['GOOG4-RSA-SHA256', date, scope.join('/'), hash].join('\n')
  if (isSignedBy(account, toSign, Buffer.from(text('X-Goog-Signature'), 'hex'))) return account
  throw new GcsError(403, 'SignatureDoesNotMatch', 'Access denied.')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
