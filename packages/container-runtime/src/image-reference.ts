import { ConfigError } from '@lithops/core/driver'

/** The parts of a name of an image, such as `registry.example:5000/team/worker:1@sha256:…`. */
export interface ImageReference {
  /** Host, with its port where it has one. 'docker.io' where the name has none. */
  readonly server: string
  /** Path below the host, such as `team/worker`. */
  readonly path: string
  /** 'latest' where the name has neither tag nor digest; undefined where it has a digest alone. */
  readonly tag: string | undefined
  /** 'sha256:…' */
  readonly digest: string | undefined
}

// From: "Pulling manifests" of the OCI Distribution Specification 1.1.
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
const DIGEST = /^sha256:[a-f0-9]{64}$/
const SHORT_CHARACTERS = 12
const SERVER = /^(?:[a-zA-Z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/

/**
 * Reads a name of an image as docker does: a first part with a dot or a colon, or 'localhost', is a host; names without one
 * are on docker.io, and one of a single part lies in its `library`.
 *
 * @throws ConfigError LITHOPS_CONFIG that says which part no registry takes
 */
export function parseImageReference(name: string): ImageReference {
  const [nameAndTag = '', digest, ...more] = name.split('@')
  const slash = nameAndTag.indexOf('/')
  const first = slash < 0 ? '' : nameAndTag.slice(0, slash)
  const hasServer = first === 'localhost' || /[.:]/.test(first)
  const server = hasServer ? first : 'docker.io'
  const rest = hasServer ? nameAndTag.slice(slash + 1) : nameAndTag
  const colon = rest.indexOf(':')
  const bare = colon < 0 ? rest : rest.slice(0, colon)
  const tag = colon < 0 ? (digest === undefined ? 'latest' : undefined) : rest.slice(colon + 1)
  const path = server === 'docker.io' && !bare.includes('/') ? `library/${bare}` : bare
  const flaw =
    more.length > 0
      ? "has more than one '@'"
      : !SERVER.test(server)
        ? `has '${server}' where a host should be`
        : !PATH.test(path)
          ? `has '${bare}' where a path of lower-case letters, digits, '.', '_', '-' and '/' should be`
          : tag !== undefined && !TAG.test(tag)
            ? `has the tag '${tag}': tags are up to 128 letters, digits, '.', '_' and '-'`
            : digest !== undefined && !DIGEST.test(digest)
              ? `has '${digest}' where a digest, sha256: and 64 hexadecimal digits, should be`
              : undefined
  if (flaw !== undefined) throw new ConfigError(`'${name}' is no name of an image: it ${flaw}.`)
  return { server, path, tag, digest }
}

/** The name of an image, with everything that `parseImageReference` fills in. */
export function formatImageReference({ server, path, tag, digest }: ImageReference): string {
  const tagged = tag === undefined ? '' : `:${tag}`
  return `${server}/${path}${tagged}${digest === undefined ? '' : `@${digest}`}`
}

/** The name by which exactly this image is found, whatever becomes of its tag: `server/path@digest`. */
export function byDigest(name: string, digest: string): string {
  const { server, path } = parseImageReference(name)
  return formatImageReference({ server, path, tag: undefined, digest })
}

/** The first digits of the digest of an image, enough to tell two of them apart; undefined for one without. */
export function shortDigest(image: string): string | undefined {
  return parseImageReference(image).digest?.slice('sha256:'.length, 'sha256:'.length + SHORT_CHARACTERS)
}
