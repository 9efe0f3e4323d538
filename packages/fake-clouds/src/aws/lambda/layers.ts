import { AwsError } from '../http/aws-error.ts'
import { type AwsAnswer, type AwsRequest, jsonAnswer } from '../http/aws-service.ts'
import type { AwsSetting } from '../options.ts'
import { CodePackage } from './code-package.ts'
import { constraint, invalidParameter, notFound } from './names.ts'
import { page } from './paging.ts'
import { type CodeLocation, type ReadObject, readCode } from './read-code.ts'

export interface LayerVersion {
  readonly name: string
  readonly version: number
  readonly arn: string
  readonly code: CodePackage
  readonly description: string
  readonly createdAt: string
  readonly runtimes: readonly string[]
  readonly architectures: readonly string[]
  readonly license?: string
}

interface LayerInput {
  readonly Content?: CodeLocation
  readonly Description?: string
  readonly CompatibleRuntimes?: readonly string[]
  readonly CompatibleArchitectures?: readonly string[]
  readonly LicenseInfo?: string
}

/** Layers of this account. A version that was deleted stays with the functions that use it. */
export class Layers {
  readonly #setting: AwsSetting
  readonly #readObject: ReadObject | undefined
  readonly #versions: LayerVersion[] = []
  readonly #lastVersion = new Map<string, number>()

  constructor(setting: AwsSetting, readObject: ReadObject | undefined) {
    this.#setting = setting
    this.#readObject = readObject
  }

  get codeBytes(): number {
    return this.#versions.reduce((sum, { code }) => sum + code.zip.length, 0)
  }

  /** Of the ARNs that a function names. */
  find(arns: readonly string[]): LayerVersion[] {
    return arns.map(arn => {
      const layer = this.#versions.find(version => version.arn === arn)
      if (layer === undefined) throw invalidParameter(`Layer version ${arn} does not exist.`)
      return layer
    })
  }

  async publish(nameOrArn: string, request: AwsRequest): Promise<AwsAnswer> {
    const name = layerName(nameOrArn)
    if (!/^[a-zA-Z0-9_-]{1,140}$/.test(name)) {
      throw constraint(name, 'layerName', 'Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+')
    }
    const input = JSON.parse(request.body.toString()) as LayerInput
    const zip = await readCode(input.Content ?? {}, this.#readObject)
    const code = await CodePackage.read(zip)
    const version = (this.#lastVersion.get(name) ?? 0) + 1
    this.#lastVersion.set(name, version)
    const layer: LayerVersion = {
      name,
      version,
      arn: `${this.#layerArn(name)}:${version}`,
      code,
      description: input.Description ?? '',
      createdAt: new Date().toISOString().replace('Z', '+0000'),
      runtimes: input.CompatibleRuntimes ?? [],
      architectures: input.CompatibleArchitectures ?? [],
      ...(input.LicenseInfo !== undefined && { license: input.LicenseInfo }),
    }
    this.#versions.push(layer)
    return jsonAnswer(this.#view(layer, true), 201)
  }

  get(nameOrArn: string, version: string): AwsAnswer {
    const layer = this.#versions.find(v => v.name === layerName(nameOrArn) && String(v.version) === version)
    if (layer === undefined) throw notFound('The resource you requested does not exist.')
    return jsonAnswer(this.#view(layer, true))
  }

  getByArn(arn: string): AwsAnswer {
    const layer = this.#versions.find(version => version.arn === arn)
    if (layer === undefined) throw notFound('The resource you requested does not exist.')
    return jsonAnswer(this.#view(layer, true))
  }

  listVersions(nameOrArn: string, query: URLSearchParams): AwsAnswer {
    const versions = this.#versions.filter(version => version.name === layerName(nameOrArn)).reverse()
    const { items, next } = page(versions, query)
    return jsonAnswer({ LayerVersions: items.map(layer => this.#view(layer, false)), NextMarker: next })
  }

  list(query: URLSearchParams): AwsAnswer {
    const newest = new Map(this.#versions.map(layer => [layer.name, layer]))
    const { items, next } = page([...newest.values()], query)
    const Layers = items.map(layer => ({
      LayerName: layer.name,
      LayerArn: this.#layerArn(layer.name),
      LatestMatchingVersion: this.#view(layer, false),
    }))
    return jsonAnswer({ Layers, NextMarker: next })
  }

  /** Deleting what is not there is no error. */
  delete(nameOrArn: string, version: string): AwsAnswer {
    if (!/^\d+$/.test(version))
      throw new AwsError(400, 'ValidationException', 'VersionNumber must be a number')
    const index = this.#versions.findIndex(
      layer => layer.name === layerName(nameOrArn) && String(layer.version) === version,
    )
    if (index >= 0) this.#versions.splice(index, 1)
    return { status: 204 }
  }

  #layerArn(name: string): string {
    return `arn:aws:lambda:${this.#setting.region}:${this.#setting.accountId}:layer:${name}`
  }

  #view(layer: LayerVersion, isWhole: boolean): object {
    return {
      LayerVersionArn: layer.arn,
      Version: layer.version,
      Description: layer.description,
      CreatedDate: layer.createdAt,
      CompatibleRuntimes: layer.runtimes,
      CompatibleArchitectures: layer.architectures,
      LicenseInfo: layer.license,
      ...(isWhole && {
        LayerArn: this.#layerArn(layer.name),
        Content: { CodeSha256: layer.code.sha256Base64, CodeSize: layer.code.zip.length },
      }),
    }
  }
}

function layerName(nameOrArn: string): string {
  return /^arn:aws[a-z-]*:lambda:[^:]+:\d{12}:layer:([^:]+)$/.exec(nameOrArn)?.[1] ?? nameOrArn
}
