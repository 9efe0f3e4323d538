import { pause } from '@lithops/core/driver'
import type { GoogleAccount } from './google-account.ts'
import { GoogleRequestError, mayPass } from './vendor-errors.ts'

/** An answer that takes longer is not waited for. */
const REQUEST_MS = 60_000
const PASSING_TRIES = 4
const PASSING_PAUSE_MS = 200

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** Tries again, for some seconds, what may pass. For requests that may be made twice. */
export async function again<T>(signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await act()
    } catch (error) {
      signal?.throwIfAborted()
      if (!mayPass(error) || tries >= PASSING_TRIES) throw error
      await pause(PASSING_PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random()), signal)
    }
  }
}

/** An API of Google's beside Cloud Run's own, such as 'secretmanager'. */
export interface GoogleApi {
  readonly account: GoogleAccount
  /** Without a slash at the end. */
  readonly origin: string
}

/** Where an API is. */
export function originOf(api: string, endpoint: URL | undefined): string {
  return endpoint?.origin ?? `https://${api}.googleapis.com`
}

/**
 * One request of an API for which no client is worth its weight here; made again where it may pass.
 *
 * @param path such as '/v1/projects/p/secrets'
 * @returns the answer's JSON
 * @throws GoogleRequestError for an answer that is no success
 */
export function googleRequest<T>(
  { account, origin }: GoogleApi,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  { body, signal }: CallOptions & { readonly body?: unknown } = {},
): Promise<T> {
  const ask = async () => {
    const authorization = `Bearer ${await account.accessToken()}`
    const timeout = AbortSignal.timeout(REQUEST_MS)
    return fetch(`${origin}${path}`, {
      method,
      headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    }).catch(error => {
      throw (error as Error).cause instanceof Error ? (error as Error).cause : error
    })
  }
  return again(signal, async () => {
    let response = await ask()
    if (response.status === 401) {
      // it may have been withdrawn before its time
      await response.body?.cancel()
      await account.refuseAccessToken()
      response = await ask()
    }
    const text = await response.text()
    if (!response.ok) throw new GoogleRequestError(response.status, text)
    return (text === '' ? {} : JSON.parse(text)) as T
  })
}
