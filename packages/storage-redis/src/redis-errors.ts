import {
  accessRefused,
  bareCause,
  LithopsError,
  type StoragePlace,
  storageFailed,
} from '@lithops/core/driver'

/** First words of Redis's errors that pass. From: Redis, "Redis serialization protocol specification" and its source. */
const PASSING = /^(LOADING|BUSY|TRYAGAIN|MASTERDOWN|CLUSTERDOWN|READONLY|NOREPLICAS|MISCONF|UNBLOCKED)\b/
const ACCESS = /^(NOAUTH|WRONGPASS|NOPERM)\b|invalid password|without any password configured/i
const CONNECTION =
  /^(Connection is closed|Command timed out|connect |getaddrinfo |read |write |socket hang up|Reached the max retries|Stream isn't writeable|max number of clients)/i
/** Of a node of a cluster: the key is another's. From: Redis, "Redis cluster specification". */
const CLUSTER = /^(MOVED|ASK|CROSSSLOT)\b|not allowed in cluster mode/i
/** Errors of the connection that another try does not mend: certificates that are wrong. */
const LASTING_CONNECTION = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO_|HOSTNAME_)/

/** The operation's error as one of the contract. */
export function translate(error: unknown, place: StoragePlace): unknown {
  if (LithopsError.isInstance(error)) return error
  const { message = String(error), code = '' } = error as {
    readonly message?: string
    readonly code?: string
  }
  // Lua errors begin with where they happened
  const told = message.replace(/^ERR (?=max number)/, '').split(' script: ')[0] as string
  const cause = bareCause(withoutCommand(error))
  if (ACCESS.test(told)) return accessRefused(place, accessAdvice(told, place), cause)
  if (CLUSTER.test(told)) {
    const advice = `this is one node of a cluster (${told}), and clusters of Redis are not supported: give a server that stands alone, or a proxy before the cluster`
    return storageFailed(place, advice, { isRetryable: false, cause })
  }
  if (isUntrusted(code)) {
    const advice = `the server's certificate was refused (${told}): give redis.ssl_ca_certs`
    return storageFailed(place, advice, { isRetryable: false, cause })
  }
  if (/^OOM\b/.test(told)) {
    return storageFailed(
      place,
      `the server has no memory left (${told}): raise maxmemory, or remove objects`,
      {
        isRetryable: false,
        cause,
      },
    )
  }
  const isPassing =
    PASSING.test(told) ||
    (!LASTING_CONNECTION.test(code) && (/^E[A-Z_]+$/.test(code) || CONNECTION.test(told)))
  return storageFailed(place, told, { isRetryable: isPassing, cause })
}

function isUntrusted(code: string): boolean {
  return /^(CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO_)/.test(code)
}

function accessAdvice(message: string, place: StoragePlace): string {
  if (/^NOPERM/.test(message)) {
    return `access was refused (${message}): the user lacks the right to ${place.operation} here`
  }
  return `the server refused the credentials (${message}): check username and password`
}

/** ioredis hangs the command on its errors, and AUTH has the password. */
function withoutCommand(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { message, name, stack } = error
  return Object.assign(new Error(message), { name, stack, code: (error as { code?: unknown }).code })
}
