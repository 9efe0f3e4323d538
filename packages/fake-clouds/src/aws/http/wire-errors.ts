import type { AwsError } from './aws-error.ts'
import { AwsError as Failure } from './aws-error.ts'
import type { AwsAnswer, AwsService, Protocol } from './aws-service.ts'
import type { SignatureError, SignatureProblem } from './signature.ts'
import { xmlDocument } from './xml.ts'

/** Names of what is wrong with a signature: in JSON protocols, in the query protocol. */
const SIGNATURE_CODES: Readonly<Record<SignatureProblem, readonly [string, string]>> = {
  missing: ['MissingAuthenticationTokenException', 'MissingAuthenticationToken'],
  incomplete: ['IncompleteSignatureException', 'IncompleteSignature'],
  'unknown key': ['UnrecognizedClientException', 'InvalidClientTokenId'],
  wrong: ['InvalidSignatureException', 'SignatureDoesNotMatch'],
  'expired token': ['ExpiredTokenException', 'ExpiredToken'],
}

export function signatureFailure(error: SignatureError, protocol: Protocol): AwsError {
  const [json, query] = SIGNATURE_CODES[error.problem]
  // ECR and CloudWatch Logs answer 400 here, Lambda, IAM and STS 403
  return new Failure(protocol === 'json' ? 400 : 403, protocol === 'query' ? query : json, error.message)
}

/** An error in the form of the service's protocol. */
export function errorAnswer(error: AwsError, service: AwsService, requestId: string): AwsAnswer {
  const { code, message, status, fields, headers } = error
  switch (service.protocol) {
    case 'query':
      return {
        status,
        headers: { 'content-type': 'text/xml', ...headers },
        body: xmlDocument('ErrorResponse', namespaceOf(service.name), {
          Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message },
          RequestId: requestId,
        }),
      }
    case 'json':
      return {
        status,
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': code, ...headers },
        body: JSON.stringify({ __type: code, message, ...fields }),
      }
    case 'rest-json': {
      return {
        status,
        headers: { 'content-type': 'application/json', 'x-amzn-errortype': code, ...headers },
        body: JSON.stringify({ ...fields, [MESSAGE_UPPER_CASE.has(code) ? 'Message' : 'message']: message }),
      }
    }
  }
}

/** Lambda's exceptions whose message member is spelled 'Message'. From: the service's model in the SDK. */
const MESSAGE_UPPER_CASE = new Set([
  'AccessDeniedException',
  'EC2AccessDeniedException',
  'EC2ThrottledException',
  'EC2UnexpectedException',
  'ENILimitReachedException',
  'InvalidRuntimeException',
  'InvalidSubnetIDException',
  'InvalidZipFileException',
  'RequestEntityTooLargeException',
  'ResourceNotFoundException',
  'ServiceException',
])

const NAMESPACES: Readonly<Record<string, string>> = {
  iam: 'https://iam.amazonaws.com/doc/2010-05-08/',
  sts: 'https://sts.amazonaws.com/doc/2011-06-15/',
}

export function namespaceOf(service: string): string {
  return NAMESPACES[service] ?? ''
}
