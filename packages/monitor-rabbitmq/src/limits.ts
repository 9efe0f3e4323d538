/** A message holds so much at most: far below what RabbitMQ takes (16 MiB since 4.0), and other queues are not held up. */
export const PIECE_BYTES = 1024 * 1024
/** Results of more go to the job's storage, where it has one. */
export const INLINE_RESULT_BYTES = 256 * 1024
/** Without one they travel in pieces up to this size by default, which a broker of little memory takes. */
export const DEFAULT_MAX_RESULT_BYTES = 64 * 1024 * 1024
/** How long the broker may be away. */
export const DEFAULT_TIMEOUT_SECONDS = 60
/** How long the queue of a program that died stays. */
export const DEFAULT_QUEUE_EXPIRES_SECONDS = 1800
/** Seconds between signs of life, where the URL names none. Two that are missed end a connection. */
export const HEARTBEAT_SECONDS = 30
