import { AwsError } from './aws-error.ts'
import type { AwsAnswer, AwsRequest } from './aws-service.ts'
import { namespaceOf } from './wire-errors.ts'
import { type XmlValue, xmlDocument } from './xml.ts'

/** The parameters of a request in the query protocol, which `Action` is one of. */
export function queryParameters(request: Omit<AwsRequest, 'caller'>): URLSearchParams {
  return new URLSearchParams(request.body.toString())
}

export function required(parameters: URLSearchParams, name: string): string {
  const value = parameters.get(name)
  if (value !== null && value !== '') return value
  throw new AwsError(
    400,
    'ValidationError',
    `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`,
  )
}

/** An answer in the query protocol; without a result only the request id. */
export function queryAnswer(
  service: string,
  operation: string,
  request: AwsRequest,
  result?: { readonly [name: string]: XmlValue },
): AwsAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'text/xml' },
    body: xmlDocument(`${operation}Response`, namespaceOf(service), {
      ...(result !== undefined && { [`${operation}Result`]: result }),
      ResponseMetadata: { RequestId: request.requestId },
    }),
  }
}
