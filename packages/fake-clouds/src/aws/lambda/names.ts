import { AwsError } from '../http/aws-error.ts'
import type { AwsSetting } from '../options.ts'

export const LATEST = '$LATEST'

export interface FunctionReference {
  readonly name: string
  readonly qualifier: string | undefined
}

/** A name, a partial ARN or an ARN, each with or without a qualifier. */
export function parseFunctionName(text: string, queryQualifier?: string | null): FunctionReference {
  const match =
    /^(?:arn:[a-z-]+:lambda:[a-z0-9-]+:)?(?:\d{12}:)?(?:function:)?([A-Za-z0-9_-]{1,140})(?::(\$LATEST|[A-Za-z0-9_-]+))?$/.exec(
      text,
    )
  if (match === null) {
    throw constraint(
      text,
      'functionName',
      'Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?',
    )
  }
  const [, name = '', qualifier] = match
  if (qualifier !== undefined && queryQualifier != null && qualifier !== queryQualifier) {
    throw invalidParameter(
      'The derived qualifier from the function name does not match the specified qualifier.',
    )
  }
  return { name, qualifier: qualifier ?? queryQualifier ?? undefined }
}

export function functionArn({ region, accountId }: AwsSetting, name: string, qualifier?: string): string {
  const arn = `arn:aws:lambda:${region}:${accountId}:function:${name}`
  return qualifier === undefined ? arn : `${arn}:${qualifier}`
}

/** ValidationException, in the words of AWS's framework for services. */
export function constraint(value: unknown, member: string, rule: string): AwsError {
  const message = `1 validation error detected: Value '${String(value)}' at '${member}' failed to satisfy constraint: ${rule}`
  return new AwsError(400, 'ValidationException', message)
}

export function invalidParameter(message: string): AwsError {
  return new AwsError(400, 'InvalidParameterValueException', message, { fields: { Type: 'User' } })
}

export function notFound(message: string): AwsError {
  return new AwsError(404, 'ResourceNotFoundException', message, { fields: { Type: 'User' } })
}

export function conflict(message: string): AwsError {
  return new AwsError(409, 'ResourceConflictException', message, { fields: { Type: 'User' } })
}
