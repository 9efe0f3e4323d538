import { AwsError } from '../http/aws-error.ts'
import type { AwsSetting } from '../options.ts'
import type { RegistryImage } from './registry-client.ts'

export interface EcrImage {
  readonly digest: string
  readonly tags: Set<string>
  readonly pushedAtMs: number
  readonly mediaType: string
  readonly bytes: number
}

export interface ImageId {
  readonly imageDigest?: string
  readonly imageTag?: string
}

export interface Repository {
  readonly name: string
  readonly uri: string
  readonly createdAtMs: number
  readonly images: EcrImage[]
}

/** Repositories of the account's registry. */
export class Repositories {
  readonly host: string
  readonly #setting: AwsSetting
  readonly #repositories = new Map<string, Repository>()

  /** `host` is the registry's; without one it is as on AWS, and nothing is there. */
  constructor(setting: AwsSetting, host?: string) {
    this.#setting = setting
    this.host = host ?? `${setting.accountId}.dkr.ecr.${setting.region}.amazonaws.com`
  }

  get all(): readonly Repository[] {
    return [...this.#repositories.values()]
  }

  arnOf(name: string): string {
    return `arn:aws:ecr:${this.#setting.region}:${this.#setting.accountId}:repository/${name}`
  }

  find(name: string): Repository | undefined {
    return this.#repositories.get(name)
  }

  get(name: string): Repository {
    const repository = this.#repositories.get(name)
    if (repository !== undefined) return repository
    throw new AwsError(
      400,
      'RepositoryNotFoundException',
      `The repository with name '${name}' does not exist in the registry with id '${this.#setting.accountId}'`,
    )
  }

  create(name: string): Repository {
    if (!/^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(name)) {
      throw new AwsError(
        400,
        'InvalidParameterException',
        `Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''`,
      )
    }
    const repository = { name, uri: `${this.host}/${name}`, createdAtMs: Date.now(), images: [] }
    this.#repositories.set(name, repository)
    return repository
  }

  delete(repository: Repository, isForced: boolean): void {
    if (repository.images.length > 0 && !isForced) {
      throw new AwsError(
        400,
        'RepositoryNotEmptyException',
        `The repository with name '${repository.name}' in registry with id '${this.#setting.accountId}' cannot be deleted because it still contains images`,
      )
    }
    this.#repositories.delete(repository.name)
  }

  image(repository: Repository, id: ImageId): EcrImage {
    const found = findImage(repository, id)
    if (found !== undefined) return found
    const { imageDigest = 'null', imageTag = 'null' } = id
    throw new AwsError(
      400,
      'ImageNotFoundException',
      `The image with imageId {imageDigest:'${imageDigest}', imageTag:'${imageTag}'} does not exist within the repository with name '${repository.name}' in the registry with id '${this.#setting.accountId}'`,
    )
  }

  /** What the registry has by now: images that were pushed, and tags that were moved. */
  update(repository: Repository, found: readonly RegistryImage[]): void {
    for (const image of repository.images) image.tags.clear()
    for (const { digest, tag, mediaType, bytes } of found) {
      let image = findImage(repository, { imageDigest: digest })
      if (image === undefined) {
        image = { digest, tags: new Set(), pushedAtMs: Date.now(), mediaType, bytes }
        repository.images.push(image)
      }
      image.tags.add(tag)
    }
  }

  /** A tag that is deleted leaves the image while it has others. */
  deleteImages(repository: Repository, ids: readonly ImageId[]): object {
    const imageIds: ImageId[] = []
    const failures: object[] = []
    for (const id of ids) {
      const image = findImage(repository, id)
      if (image === undefined) {
        failures.push({
          imageId: id,
          failureCode: 'ImageNotFound',
          failureReason: 'Requested image not found',
        })
        continue
      }
      if (id.imageTag !== undefined) image.tags.delete(id.imageTag)
      if (id.imageTag === undefined || image.tags.size === 0) {
        repository.images.splice(repository.images.indexOf(image), 1)
      }
      imageIds.push({ imageDigest: image.digest, ...(id.imageTag && { imageTag: id.imageTag }) })
    }
    return { imageIds, failures }
  }
}

function findImage(repository: Repository, { imageDigest, imageTag }: ImageId): EcrImage | undefined {
  return repository.images.find(image =>
    imageDigest === undefined ? image.tags.has(imageTag ?? '') : image.digest === imageDigest,
  )
}
