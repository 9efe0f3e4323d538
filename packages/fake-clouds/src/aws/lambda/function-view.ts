import type { AwsSetting } from '../options.ts'
import type { Failure, LambdaFunction, Revision } from './lambda-function.ts'
import { functionArn, LATEST } from './names.ts'

/** A function as the API shows it: FunctionConfiguration of the service's model. */
export function viewOf(
  setting: AwsSetting,
  fn: LambdaFunction,
  version: { readonly version: string; readonly revision: Revision } = {
    version: LATEST,
    revision: fn.latest,
  },
  options: { readonly isListed?: boolean; readonly arnQualifier?: string } = {},
): object {
  const { settings, code, layers, revisionId, modifiedAtMs } = version.revision
  const isImage = code.kind === 'image'
  return {
    FunctionName: fn.name,
    FunctionArn: functionArn(setting, fn.name, options.arnQualifier),
    Runtime: settings.Runtime,
    Role: settings.Role,
    Handler: settings.Handler,
    CodeSize: isImage ? 0 : code.code.zip.length,
    Description: settings.Description,
    Timeout: settings.Timeout,
    MemorySize: settings.MemorySize,
    LastModified: new Date(modifiedAtMs).toISOString().replace('Z', '+0000'),
    CodeSha256: isImage ? code.digest.replace('sha256:', '') : code.code.sha256Base64,
    Version: version.version,
    VpcConfig: settings.VpcConfig && { VpcId: 'vpc-1', ...settings.VpcConfig },
    DeadLetterConfig: settings.DeadLetterConfig,
    Environment: settings.Environment,
    TracingConfig: { Mode: settings.TracingConfig?.Mode ?? 'PassThrough' },
    RevisionId: revisionId,
    ...(layers.length > 0 && {
      Layers: layers.map(layer => ({ Arn: layer.arn, CodeSize: layer.code.zip.length })),
    }),
    FileSystemConfigs: settings.FileSystemConfigs,
    PackageType: isImage ? 'Image' : 'Zip',
    ...(isImage && { ImageConfigResponse: { ImageConfig: settings.ImageConfig } }),
    Architectures: settings.Architectures,
    EphemeralStorage: settings.EphemeralStorage,
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    LoggingConfig: { LogFormat: 'Text', LogGroup: `/aws/lambda/${fn.name}`, ...settings.LoggingConfig },
    ...(options.isListed !== true && statesOf(fn, version.version)),
  }
}

/** Lists do not show these. */
function statesOf(fn: LambdaFunction, version: string): object {
  if (version !== LATEST) return { State: 'Active', LastUpdateStatus: 'Successful' }
  const { state } = fn
  const status = fn.lastUpdateStatus
  const isNew = state === 'Pending'
  return {
    State: state,
    ...(isNew && { StateReasonCode: 'Creating', StateReason: 'The function is being created.' }),
    ...(state === 'Failed' && reasonOf('State', fn.creationFailure)),
    // while a function is made its update is shown as successful
    LastUpdateStatus: isNew ? 'Successful' : status,
    ...(!isNew &&
      status === 'InProgress' && {
        LastUpdateStatusReasonCode: 'Creating',
        LastUpdateStatusReason: 'The function is being created.',
      }),
    ...(status === 'Failed' && reasonOf('LastUpdateStatus', fn.updateFailure)),
  }
}

function reasonOf(prefix: string, failure: Failure | undefined): object {
  return { [`${prefix}ReasonCode`]: failure?.code, [`${prefix}Reason`]: failure?.reason }
}
