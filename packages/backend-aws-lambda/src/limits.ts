// From: "Lambda quotas" of the Lambda developer guide,
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html

const MIB = 1024 * 1024

/** Request and response of a synchronous invocation, each. */
export const SYNC_PAYLOAD_BYTES = 6 * MIB
/** Request of an asynchronous invocation; raised from 256 KB in October 2025. */
export const ASYNC_PAYLOAD_BYTES = 1 * MIB
/** Code that is sent with CreateFunction, zipped; more goes through S3. */
export const ZIPPED_CODE_BYTES = 50 * MIB
/** Code and layers, unpacked. */
export const UNPACKED_CODE_BYTES = 250 * MIB
/** All environment variables together. */
export const ENVIRONMENT_BYTES = 4 * 1024
/** Characters in the description of a function. */
export const DESCRIPTION_CHARACTERS = 256
/** Characters in the name of a function. */
export const NAME_CHARACTERS = 64

export const MEMORY_MIB = { least: 128, most: 10_240 } as const
export const TIMEOUT_S = { least: 1, most: 900 } as const
export const EPHEMERAL_MIB = { least: 512, most: 10_240 } as const
/** How long Lambda keeps an event that it cannot run yet. */
export const EVENT_AGE_S = { least: 60, most: 21_600 } as const

/**
 * A minute more than Lambda waits before it tries an event again that it could not run: "from 1 second after the first
 * attempt to a maximum of 5 minutes". From: "How Lambda handles errors and retries with asynchronous invocation",
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
export const EVENT_PAUSE_MS = 360_000

/**
 * Bytes of a message that a payload of so many bytes carries: payloads are JSON, a text in base64.
 */
export function messageBytes(payloadBytes: number): number {
  return Math.floor((payloadBytes - 2) / 4) * 3
}
