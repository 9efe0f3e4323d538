/** Why a revision, or a job, is not ready: a reason of the platform's list, and a message. */
export class NotReady extends Error {
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

/** What services and jobs say of whether they are as they were asked to be. */
export interface Condition {
  readonly type: 'Ready'
  readonly state: 'CONDITION_RECONCILING' | 'CONDITION_SUCCEEDED' | 'CONDITION_FAILED'
  readonly message?: string
  /** Of those that services, revisions and jobs share. */
  readonly reason?: string
  readonly revisionReason?: string
}
