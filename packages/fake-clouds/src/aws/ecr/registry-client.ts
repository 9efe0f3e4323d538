/** What a registry says of an image: its manifest's digest and what runs in it. */
export interface RegistryImage {
  readonly digest: string
  readonly tag: string
  readonly mediaType: string
  /** Of all layers, compressed. */
  readonly bytes: number
}

export interface ImageManifest {
  readonly config: { readonly digest: string }
  readonly layers: readonly { readonly digest: string; readonly size: number }[]
}

const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

/** Reads a container registry. From: the OCI Distribution Specification 1.1. */
export class RegistryClient {
  /** Host and port. */
  readonly host: string

  constructor(host: string) {
    this.host = host
  }

  /** Tags of a repository with their images; empty when there is no such repository. */
  async images(repository: string): Promise<readonly RegistryImage[]> {
    const answer = await fetch(`${this.#base(repository)}/tags/list`)
    if (answer.status === 404) return []
    const { tags } = (await this.#ok(answer).json()) as { readonly tags: readonly string[] | null }
    const images = await Promise.all((tags ?? []).map(tag => this.#image(repository, tag)))
    return images.filter(image => image !== undefined)
  }

  async manifest(repository: string, reference: string): Promise<ImageManifest> {
    return (await (await this.#manifest(repository, reference)).json()) as ImageManifest
  }

  async blob(repository: string, digest: string): Promise<Buffer> {
    const answer = this.#ok(await fetch(`${this.#base(repository)}/blobs/${digest}`))
    return Buffer.from(await answer.arrayBuffer())
  }

  /** By its digest. What is not there is no error. */
  async delete(repository: string, digest: string): Promise<void> {
    const answer = await fetch(`${this.#base(repository)}/manifests/${digest}`, { method: 'DELETE' })
    if (answer.status !== 404) this.#ok(answer)
    await answer.body?.cancel()
  }

  /** Undefined when the tag has gone meanwhile. */
  async #image(repository: string, tag: string): Promise<RegistryImage | undefined> {
    const answer = await fetch(`${this.#base(repository)}/manifests/${tag}`, {
      headers: { accept: MANIFEST_TYPES },
    })
    if (answer.status === 404) return undefined
    const { layers = [] } = (await this.#ok(answer).json()) as Partial<ImageManifest>
    return {
      tag,
      digest: answer.headers.get('docker-content-digest') ?? '',
      mediaType: answer.headers.get('content-type') ?? '',
      bytes: layers.reduce((sum, { size }) => sum + size, 0),
    }
  }

  async #manifest(repository: string, reference: string): Promise<Response> {
    const headers = { accept: MANIFEST_TYPES }
    return this.#ok(await fetch(`${this.#base(repository)}/manifests/${reference}`, { headers }))
  }

  #base(repository: string): string {
    return `http://${this.host}/v2/${repository}`
  }

  #ok(answer: Response): Response {
    if (answer.ok) return answer
    throw new Error(`the registry at ${this.host} answered ${answer.status} for ${answer.url}`)
  }
}
