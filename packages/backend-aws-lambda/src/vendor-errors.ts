import { LithopsError, RuntimeDeployError, runStep } from '@lithops/core/driver'

/** What errors of the official clients have. */
interface VendorError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
}

export function isNamed(error: unknown, ...names: string[]): boolean {
  return error instanceof Error && names.includes(error.name)
}

/** An error of the control plane as one of ours: what was tried, what AWS said, and what to do. */
export function deployError(error: unknown, step: string): LithopsError {
  if (LithopsError.isInstance(error)) return error
  const { name, message, $metadata } = error as VendorError
  const right = /perform: (\S+)/.exec(message)?.[1]
  const advice =
    right !== undefined
      ? ` The caller needs the right ${right}: \`lithops runtime policies -b aws_lambda\` prints what is needed.`
      : /ExpiredToken|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature/.test(
            name,
          )
        ? ' Check the credentials, and the clock of this machine.'
        : name === 'CodeStorageExceededException'
          ? ' The account’s storage for code is full: `lithops clean -b aws_lambda`, or remove functions that are not needed.'
          : ''
  return new RuntimeDeployError(`AWS Lambda: ${step} failed (${name}: ${message}).${advice}`, {
    details: { step, errorName: name, requestId: $metadata?.requestId, status: $metadata?.httpStatusCode },
    cause: new Error(`${name}: ${message}`),
  })
}

/** Runs one step of the control plane; an aborted signal rejects with its reason. */
export function attempt<T>(step: string, signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
  return runStep(act, { signal, explain: error => deployError(error, step) })
}
