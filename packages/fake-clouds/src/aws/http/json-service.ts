import { AwsError } from './aws-error.ts'
import type { AwsAnswer, AwsRequest } from './aws-service.ts'

/** The operation that a request of a JSON protocol names, if its target is this service. */
export function targetOperation(
  request: Omit<AwsRequest, 'caller'>,
  target: string,
  known: readonly string[],
): string | undefined {
  const [service, operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.')
  return service === target && known.includes(operation) ? operation : undefined
}

export function jsonInput(request: AwsRequest): Readonly<Record<string, unknown>> {
  const input: unknown = JSON.parse(request.body.toString() || '{}')
  if (typeof input === 'object' && input !== null) return input as Record<string, unknown>
  throw new AwsError(400, 'SerializationException', 'The body is no object')
}

export function targetAnswer(body: object): AwsAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify(body),
  }
}
