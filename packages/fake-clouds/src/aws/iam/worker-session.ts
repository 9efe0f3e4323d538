import type { AccessKey, Credentials } from '../http/credentials.ts'

/** From: "Lambda execution environment": keys of a worker are good for half a day. */
const LIFETIME_S = 12 * 3600

/** Keys of a role's session, as a function finds them in its environment. */
export function workerSession(keys: Credentials, accountId: string, roleArn: string): AccessKey {
  const role = roleArn.split('/').at(-1) ?? ''
  const session = `lambda-${role}`
  const arn = `arn:aws:sts::${accountId}:assumed-role/${role}/${session}`
  return keys.addSession({ arn, userId: `AROA:${session}`, accountId }, LIFETIME_S)
}
