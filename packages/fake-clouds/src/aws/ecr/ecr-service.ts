import { createHash } from 'node:crypto'
import { AwsError } from '../http/aws-error.ts'
import type { AwsAnswer, AwsRequest, AwsService } from '../http/aws-service.ts'
import { jsonInput, targetAnswer, targetOperation } from '../http/json-service.ts'
import type { AwsSetting } from '../options.ts'
import { type ImageContent, unpackImage } from './image-content.ts'
import { RegistryClient } from './registry-client.ts'
import { type EcrImage, type ImageId, Repositories, type Repository } from './repositories.ts'

type Input = Readonly<Record<string, unknown>>

const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json'
const BODY_LIMIT_BYTES = 1024 * 1024
const PAGE_LENGTH = 100
const TOKEN_LIFETIME_S = 12 * 3600
const OPERATIONS = [
  'BatchDeleteImage',
  'CreateRepository',
  'DeleteRepository',
  'DescribeImages',
  'DescribeRepositories',
  'GetAuthorizationToken',
  'ListImages',
]

/** The API of the container registry. Images come by `put`, or are pushed to the registry that stands behind it. */
export class EcrService implements AwsService {
  readonly name = 'ecr'
  readonly protocol = 'json'
  readonly #setting: AwsSetting
  readonly #repositories: Repositories
  readonly #registry: RegistryClient | undefined
  readonly #deletions: Promise<void>[] = []
  readonly #content = new Map<string, ImageContent>()

  constructor(setting: AwsSetting, registryHost?: string) {
    this.#setting = setting
    this.#repositories = new Repositories(setting, registryHost)
    if (registryHost !== undefined) this.#registry = new RegistryClient(registryHost)
  }

  bodyLimitBytes(): number {
    return BODY_LIMIT_BYTES
  }

  operationOf(request: Omit<AwsRequest, 'caller'>): string | undefined {
    return targetOperation(request, 'AmazonEC2ContainerRegistry_V20150921', OPERATIONS)
  }

  resourceOf(operation: string, request: AwsRequest): string {
    if (operation === 'GetAuthorizationToken') return '*'
    const { repositoryName, repositoryNames } = jsonInput(request)
    const [first = '*'] = (repositoryNames as readonly string[] | undefined) ?? []
    return this.#repositories.arnOf(String(repositoryName ?? first))
  }

  async answer(operation: string, request: AwsRequest): Promise<AwsAnswer> {
    const input = jsonInput(request)
    await this.#look(String(input.repositoryName ?? ''))
    const answer = targetAnswer(this.#run(operation, input))
    await Promise.all(this.#deletions.splice(0))
    return answer
  }

  put(image: { readonly repository: string; readonly tag: string; readonly folder?: string }): {
    readonly uri: string
    readonly digest: string
  } {
    const repository =
      this.#repositories.find(image.repository) ?? this.#repositories.create(image.repository)
    const text = `${image.repository}:${image.tag}:${image.folder ?? ''}:${repository.images.length}`
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`
    for (const other of repository.images) other.tags.delete(image.tag)
    repository.images.push({
      digest,
      tags: new Set([image.tag]),
      pushedAtMs: Date.now(),
      mediaType: MANIFEST_TYPE,
      bytes: 0,
    })
    if (image.folder !== undefined) this.#content.set(digest, { kind: 'folder', folder: image.folder })
    return { uri: `${repository.uri}@${digest}`, digest }
  }

  /** Of a URI by tag or by digest; undefined when there is no such image. */
  async digestOf(uri: string): Promise<string | undefined> {
    const match = /^([^/]+)\/([^:@]+)(?::([^@]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(uri)
    if (match === null) return undefined
    const [, host, name = '', tag = 'latest', digest] = match
    await this.#look(name)
    const repository = this.#repositories.find(name)
    if (repository === undefined || !repository.uri.startsWith(`${host}/`)) return undefined
    const found = repository.images.find(image =>
      digest ? image.digest === digest : image.tags.has(tag),
    )?.digest
    const registry = this.#registry
    if (found !== undefined && registry !== undefined && !this.#content.has(found)) {
      const unpack = (folder: string) => unpackImage(registry, name, found, folder)
      this.#content.set(found, { kind: 'pushed', unpack })
    }
    return found
  }

  /** What a function of an image runs. */
  contentOf(digest: string): ImageContent | undefined {
    return this.#content.get(digest)
  }

  /** Looks what was pushed. */
  async #look(name: string): Promise<void> {
    const repository = this.#repositories.find(name)
    if (this.#registry === undefined || repository === undefined) return
    this.#repositories.update(repository, await this.#registry.images(name))
  }

  #run(operation: string, input: Input): object {
    switch (operation) {
      case 'GetAuthorizationToken': {
        const password = createHash('sha256').update(`${Date.now()}`).digest('base64')
        return {
          authorizationData: [
            {
              authorizationToken: Buffer.from(`AWS:${password}`).toString('base64'),
              expiresAt: Math.floor(Date.now() / 1000) + TOKEN_LIFETIME_S,
              proxyEndpoint: `${this.#registry === undefined ? 'https' : 'http'}://${this.#repositories.host}`,
            },
          ],
        }
      }
      case 'CreateRepository': {
        const name = String(input.repositoryName ?? '')
        if (this.#repositories.find(name) !== undefined) {
          throw new AwsError(
            400,
            'RepositoryAlreadyExistsException',
            `The repository with name '${name}' already exists in the registry with id '${this.#setting.accountId}'`,
          )
        }
        return { repository: this.#view(this.#repositories.create(name)) }
      }
      case 'DescribeRepositories': {
        const names = input.repositoryNames as readonly string[] | undefined
        const all = names?.map(name => this.#repositories.get(name)) ?? this.#repositories.all
        const { items, nextToken } = slice(all, input)
        return { repositories: items.map(repository => this.#view(repository)), nextToken }
      }
      case 'DeleteRepository': {
        const repository = this.#repositories.get(String(input.repositoryName))
        this.#repositories.delete(repository, input.force === true)
        for (const { digest } of repository.images) this.#deleteInRegistry(repository.name, digest)
        return { repository: this.#view(repository) }
      }
      case 'DescribeImages':
        return this.#describeImages(input)
      case 'ListImages': {
        const repository = this.#repositories.get(String(input.repositoryName))
        const ids = repository.images.flatMap(({ digest, tags }) =>
          tags.size === 0
            ? [{ imageDigest: digest }]
            : [...tags].map(imageTag => ({ imageDigest: digest, imageTag })),
        )
        const { items, nextToken } = slice(ids, input)
        return { imageIds: items, nextToken }
      }
      case 'BatchDeleteImage': {
        const repository = this.#repositories.get(String(input.repositoryName))
        const before = [...repository.images]
        const ids = (input.imageIds as readonly ImageId[] | undefined) ?? []
        const answer = this.#repositories.deleteImages(repository, ids)
        const gone = before.filter(image => !repository.images.includes(image))
        for (const { digest } of gone) this.#deleteInRegistry(repository.name, digest)
        return answer
      }
      default:
        throw new Error(`ECR has no answer for ${operation}`)
    }
  }

  #deleteInRegistry(name: string, digest: string): void {
    if (this.#registry !== undefined) this.#deletions.push(this.#registry.delete(name, digest))
  }

  #describeImages(input: Input): object {
    const repository = this.#repositories.get(String(input.repositoryName))
    const ids = input.imageIds as readonly ImageId[] | undefined
    const images = ids?.map(id => this.#repositories.image(repository, id)) ?? repository.images
    const { items, nextToken } = slice(images, input)
    const imageDetails = items.map((image: EcrImage) => ({
      registryId: this.#setting.accountId,
      repositoryName: repository.name,
      imageDigest: image.digest,
      ...(image.tags.size > 0 && { imageTags: [...image.tags] }),
      imageSizeInBytes: image.bytes,
      imagePushedAt: image.pushedAtMs / 1000,
      imageManifestMediaType: image.mediaType,
    }))
    return { imageDetails, nextToken }
  }

  #view(repository: Repository): object {
    return {
      repositoryArn: this.#repositories.arnOf(repository.name),
      registryId: this.#setting.accountId,
      repositoryName: repository.name,
      repositoryUri: repository.uri,
      createdAt: repository.createdAtMs / 1000,
      imageTagMutability: 'MUTABLE',
      imageScanningConfiguration: { scanOnPush: false },
      encryptionConfiguration: { encryptionType: 'AES256' },
    }
  }
}

function slice<T>(all: readonly T[], input: Input) {
  const start = Number(input.nextToken ?? 0)
  const end = start + Number(input.maxResults ?? PAGE_LENGTH)
  return { items: all.slice(start, end), nextToken: end < all.length ? String(end) : undefined }
}
