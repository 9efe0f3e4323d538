import { type KnativeFault, knativeFaults } from '../knative/faults.ts'
import { refusals } from './api/refusal.ts'

/** What this platform does to a request instead of merely answering it. */
export type CloudRunFault = KnativeFault

export const cloudRunFaults = {
  /** There are as many instances as there may be, and all are busy: nothing ran. */
  noInstance: () =>
    knativeFaults.answer(429, 'The request was aborted because there was no available instance.'),
  /** The service is not ready: nothing ran. */
  notAvailable: () => knativeFaults.answer(503, 'The service you requested is not available yet.'),
  /** The front end lost the instance that it had sent the request to. */
  brokenInstance: () =>
    knativeFaults.answer(
      503,
      'The request failed because either the HTTP response was malformed or connection to the instance had an error.',
    ),
  /** No answer began in time. */
  timeout: () => knativeFaults.answer(504, 'upstream request timeout'),
  /** The front end does not know the service yet. */
  noService: () => knativeFaults.answer(404, 'The requested URL was not found on this server.'),
  /** For APIs: too many writes in this minute. */
  rateLimited: () => ({
    kind: 'answer' as const,
    status: 429,
    body: refusals.rate('Write requests per minute per region').body,
  }),
  answer: knativeFaults.answer,
  refuse: knativeFaults.refuse,
  delay: knativeFaults.delay,
  /** It runs, and the connection is cut in place of the answer. */
  loseReply: knativeFaults.loseReply,
  /** The instance that runs it is killed so long after it was given the request, or begun (`place: 'task'`). */
  killInstance: knativeFaults.killContainer,
}
