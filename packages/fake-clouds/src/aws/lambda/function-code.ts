import { AwsError } from '../http/aws-error.ts'
import type { AwsSetting } from '../options.ts'
import { CodePackage, UNZIPPED_LIMIT_BYTES } from './code-package.ts'
import type { FunctionCode } from './lambda-function.ts'
import type { LayerVersion } from './layers.ts'
import { invalidParameter } from './names.ts'
import { type CodeLocation, type ReadObject, readCode } from './read-code.ts'

export interface ReadFunctionCode {
  readonly setting: AwsSetting
  readonly isImage: boolean
  readonly layers: readonly LayerVersion[]
  /** All code of the account until now. */
  readonly storedBytes: number
  readonly readObject: ReadObject | undefined
  /** Digest of an image in the registry; undefined when there is none such. */
  readonly imageDigest: (uri: string) => Promise<string | undefined>
}

/** The code that a request brings or names, checked as Lambda does. */
export async function readFunctionCode(
  location: CodeLocation,
  options: ReadFunctionCode,
): Promise<FunctionCode> {
  if (options.isImage) {
    const uri = location.ImageUri ?? ''
    const digest = await options.imageDigest(uri)
    if (digest !== undefined) return { kind: 'image', uri, digest }
    throw invalidParameter(`Source image ${uri} does not exist. Provide a valid source image.`)
  }
  if (location.ImageUri !== undefined) {
    throw invalidParameter('Please do not provide ImageUri when updating a function with packageType Zip.')
  }
  const code = await CodePackage.read(await readCode(location, options.readObject))
  checkUnzipped(code, options.layers)
  if (options.storedBytes + code.zip.length > options.setting.quotas.codeStorageBytes) {
    throw new AwsError(400, 'CodeStorageExceededException', 'Code storage limit exceeded.', {
      fields: { Type: 'User' },
    })
  }
  return { kind: 'zip', code }
}

/** The limit is for code and layers together. */
export function checkUnzipped(code: CodePackage, layers: readonly LayerVersion[]): void {
  const bytes = layers.reduce((sum, layer) => sum + layer.code.unzippedBytes, code.unzippedBytes)
  if (bytes < UNZIPPED_LIMIT_BYTES) return
  throw invalidParameter(
    layers.length > 0
      ? `Function code combined with layers exceeds the maximum allowed size of ${UNZIPPED_LIMIT_BYTES} bytes. The actual size is ${bytes} bytes.`
      : `Unzipped size must be smaller than ${UNZIPPED_LIMIT_BYTES} bytes`,
  )
}
