// What the Invoke stub answers: each call of an activation ends with its own input as its value, in the wire format of
// docs/protocol.md; and the few requests of the control plane by which a deployed function is found.
const PARTS = 4
const ENDED = 2
const WORKER = 5
const ENDED_HEAD_BYTES = 27

const worker = Buffer.from(
  JSON.stringify({
    workerId: 'stub',
    nodeVersion: process.version,
    lithopsVersion: 'stub',
    coldStart: false,
    initMs: 0,
  }),
)

export function reply(body) {
  const text = body.toString('latin1')
  if (text.startsWith('{')) {
    return JSON.stringify({
      lithopsVersion: 'stub',
      protocolVersion: 1,
      nodeVersion: process.version,
      platform: process.platform,
      arch: process.arch,
    })
  }
  const message = Buffer.from(text.slice(1, -1), 'base64')
  if (message.toString('latin1', 0, 2) !== 'LT') return body // of a contender that only sends
  let at = 3
  for (let i = 0; i < PARTS; i++) at += 4 + message.readUInt32LE(at)
  const count = message.readUInt32LE(at + 8)
  at += 12
  const head = Buffer.alloc(5)
  head[0] = WORKER
  head.writeUInt32LE(worker.length, 1)
  const frames = [head, worker]
  const now = Date.now()
  for (let i = 0; i < count; i++) {
    const length = message.readUInt32LE(at + 7)
    const frame = Buffer.alloc(5 + ENDED_HEAD_BYTES)
    frame[0] = ENDED
    frame.writeUInt32LE(ENDED_HEAD_BYTES + length, 1)
    message.copy(frame, 5, at, at + 6)
    frame.writeDoubleLE(now, 12)
    frame.writeDoubleLE(now, 20)
    frames.push(frame, message.subarray(at + 11, at + 11 + length))
    at += 11 + length
  }
  return `"${Buffer.concat(frames).toString('base64')}"`
}

/** Undefined for what is no such request. */
export function other(url) {
  if (url.includes('/account-settings'))
    return JSON.stringify({ AccountLimit: { ConcurrentExecutions: 100_000 } })
  if (url.endsWith('/configuration'))
    return JSON.stringify({ State: 'Active', LastUpdateStatus: 'Successful' })
  return undefined
}
