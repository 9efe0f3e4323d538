import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '../errors/index.ts'
import { isPattern } from './glob.ts'

/** An object that is named by its parts, as cloud objects and the entries of listings are. Taken literally. */
export interface ObjectReference {
  /** Config name of its storage. Default: the job's. */
  readonly storage?: string
  readonly bucket: string
  readonly key: string
}

/** Objects by their address: see docs/data.md for what can be written. */
export type ObjectAddress = string | URL | ObjectReference

/** Where to look for objects. */
export type Place =
  | {
      readonly kind: 'object'
      /** Config name; undefined: the job's storage. */
      readonly storage: string | undefined
      /** As the user wrote it, with '://'; empty without a scheme. */
      readonly scheme: string
      readonly bucket: string
      /** One key; a prefix ('' for the whole bucket); a pattern; or a key that may be the name of a folder. */
      readonly select: 'key' | 'prefix' | 'pattern' | 'key-or-folder'
      readonly key: string
    }
  | { readonly kind: 'file'; readonly path: string; readonly isPattern: boolean }
  | { readonly kind: 'url'; readonly url: string }

/** Schemes that are shorter than the config name of their storage. */
const SCHEMES: Readonly<Record<string, string>> = {
  s3: 'aws_s3',
  gs: 'gcp_storage',
  az: 'azure_storage',
  cos: 'ibm_cos',
}

/** Reads an address. Throws ConfigError for what is none. */
export function placeOf(address: unknown): Place {
  if (address instanceof URL) return placeOfUrl(address)
  if (typeof address === 'string') return placeOfText(address)
  if (typeof address === 'object' && address !== null) return placeOfReference(address)
  throw new ConfigError(
    `A source is a string, a URL, an object with bucket and key, or a list of these, not ${address === null ? 'null' : typeof address}.`,
  )
}

function placeOfText(text: string): Place {
  if (text === '') throw new ConfigError('The address of a source is empty.')
  const [, scheme, rest = ''] = /^([a-z][a-z0-9_+.-]*):\/\/(.*)$/is.exec(text) ?? []
  if (scheme === undefined) return isLocal(text) ? placeOfPath(text) : objectPlace(undefined, '', text, text)
  const name = scheme.toLowerCase()
  if (name === 'http' || name === 'https') return webPlace(text)
  if (name === 'file') return placeOfPath(fileUrlPath(text))
  return objectPlace(SCHEMES[name] ?? name, `${scheme}://`, rest, text)
}

function placeOfUrl(url: URL): Place {
  const name = url.protocol.slice(0, -1)
  if (name === 'http' || name === 'https') return webPlace(url.href)
  if (name === 'file') return { kind: 'file', path: fileUrlPath(url.href), isPattern: false }
  // a URL object has escaped what keys have as it is
  const rest = decodeURIComponent(url.host + url.pathname)
  return objectPlace(SCHEMES[name] ?? name, `${name}://`, rest, url.href)
}

function placeOfReference(reference: object): Place {
  const { storage, bucket, key } = reference as Record<string, unknown>
  if (typeof bucket !== 'string' || bucket === '' || typeof key !== 'string' || key === '') {
    throw new ConfigError(
      'An object as a source has `bucket` and `key`, both text, and may have `storage`, a config name.',
    )
  }
  if (storage !== undefined && typeof storage !== 'string') {
    throw new ConfigError('`storage` of an object as a source is a config name, for instance aws_s3.')
  }
  return { kind: 'object', storage, scheme: schemeOf(storage), bucket, select: 'key', key }
}

function objectPlace(storage: string | undefined, scheme: string, rest: string, text: string): Place {
  const slash = rest.indexOf('/')
  const bucket = slash < 0 ? rest : rest.slice(0, slash)
  const key = slash < 0 ? '' : rest.slice(slash + 1)
  if (bucket === '') {
    throw new ConfigError(
      `'${text}' names no bucket. Write ${scheme || ''}bucket/key, or a local path as ./path.`,
    )
  }
  if (isPattern(bucket)) {
    throw new ConfigError(`'${text}' has a pattern in the bucket's name; only keys can have one.`)
  }
  const select = isPattern(key) ? 'pattern' : key === '' || key.endsWith('/') ? 'prefix' : 'key-or-folder'
  return { kind: 'object', storage, scheme, bucket, select, key }
}

function webPlace(url: string): Place {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch (cause) {
    throw new ConfigError(`'${url}' is not a URL.`, { cause })
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new ConfigError(
      `The URL of ${parsed.host}${parsed.pathname} has a user or a password in it, which would travel with the job. Use a storage, or a signed URL.`,
    )
  }
  return { kind: 'url', url: parsed.href }
}

function fileUrlPath(url: string): string {
  try {
    return fileURLToPath(url)
  } catch (cause) {
    throw new ConfigError(`'${url}' is not a file of this machine: ${(cause as Error).message}.`, { cause })
  }
}

function isLocal(text: string): boolean {
  return /^(\.{1,2}|~)([/\\]|$)/.test(text) || isAbsolute(text)
}

function placeOfPath(text: string): Place {
  const path = /^~([/\\]|$)/.test(text) ? join(homedir(), text.slice(1)) : text
  // `resolve` would take away the slash that says "a folder", which is found out by looking anyway
  return { kind: 'file', path: resolve(path), isPattern: isPattern(path) }
}

/** How a storage is written in addresses: empty for the job's own. */
function schemeOf(storage: string | undefined): string {
  if (storage === undefined) return ''
  const short = Object.keys(SCHEMES).find(scheme => SCHEMES[scheme] === storage)
  return `${short ?? storage}://`
}
