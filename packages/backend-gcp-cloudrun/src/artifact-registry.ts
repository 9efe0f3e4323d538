import { imageName, parseImageReference, type RegistryLogin, registryKind } from '@lithops/container-runtime'
import { pause, RuntimeDeployError } from '@lithops/core/driver'
import type { CloudRunSettings } from './config.ts'
import type { GoogleAccount } from './google-account.ts'
import { type GoogleApi, googleRequest, originOf } from './google-requests.ts'
import { registryOf } from './registry-settings.ts'
import { attempt, hasCode } from './vendor-errors.ts'

/** Whose password an access token is. From: "Configure authentication to Artifact Registry for Docker". */
const TOKEN_USER = 'oauth2accesstoken'
const LOOK_MS = 300
const OPERATION_MS = 120_000

interface Operation {
  readonly name?: string
  readonly done?: boolean
  readonly error?: { readonly code?: number; readonly message?: string }
}

/** The registry of Google's, where images lie: its repository, its packages, and the login to it. */
export class ArtifactRegistry {
  readonly #account: GoogleAccount
  readonly #settings: CloudRunSettings
  readonly #api: GoogleApi
  #ensured: Promise<void> | undefined

  constructor(account: GoogleAccount, settings: CloudRunSettings) {
    this.#account = account
    this.#settings = settings
    this.#api = { account, origin: originOf('artifactregistry', settings.endpoint) }
  }

  /** Images of the config lie here, and its API can be asked of them. */
  get isUsed(): boolean {
    const { dockerServer, dockerUser } = this.#settings
    return registryKind(dockerServer) === 'pkg.dev' || dockerUser === TOKEN_USER
  }

  /** Undefined for registries of others: they must not see a token. */
  async login(server: string): Promise<RegistryLogin | undefined> {
    const { dockerServer, dockerUser } = this.#settings
    const isGoogles = /^(pkg\.dev|gcr\.io)$/.test(registryKind(server))
    if (!isGoogles && !(dockerUser === TOKEN_USER && server === dockerServer)) return undefined
    return { server, user: TOKEN_USER, password: await this.#account.accessToken() }
  }

  /** Makes the repository where it is not there: for all who push. */
  ensureRepository(signal: AbortSignal | undefined): Promise<void> {
    if (!this.isUsed) return Promise.resolve()
    this.#ensured ??= this.#ensure(signal)
    this.#ensured.catch(() => {
      this.#ensured = undefined
    })
    return this.#ensured
  }

  /** Whether there are images of that path below the repository. */
  hasPackage(path: string, signal: AbortSignal | undefined): Promise<boolean> {
    if (!this.isUsed) return Promise.resolve(false)
    return attempt(`looking for images of ${path}`, signal, async () => {
      try {
        await googleRequest(this.#api, 'GET', await this.#packagePath(path), { signal })
        return true
      } catch (error) {
        if (hasCode(error, 'NOT_FOUND')) return false
        throw error
      }
    })
  }

  /** Removes all images of that path below the repository. What is not there is no error. */
  removePackage(path: string, signal: AbortSignal | undefined): Promise<void> {
    return attempt(`removing the images of ${path}`, signal, async () => {
      try {
        const operation = await googleRequest<Operation>(this.#api, 'DELETE', await this.#packagePath(path), {
          signal,
        })
        await this.#finished(operation, signal)
      } catch (error) {
        if (!hasCode(error, 'NOT_FOUND')) throw error
      }
    })
  }

  /** Removes an image, by digest, with all its tags. Returns false where it lies in a registry of others; what is not there is no error. */
  async removeVersion(image: string, signal: AbortSignal | undefined): Promise<boolean> {
    const place = await this.#versionPath(image)
    if (place === undefined) return false
    await attempt(`removing the image ${image}`, signal, async () => {
      try {
        // one that is tagged is refused without
        const operation = await googleRequest<Operation>(this.#api, 'DELETE', `${place}?force=true`, {
          signal,
        })
        await this.#finished(operation, signal)
      } catch (error) {
        if (!hasCode(error, 'NOT_FOUND')) throw error
      }
    })
    return true
  }

  /** Of an image of pkg.dev, whose project and repository its name has, or of the config's repository. */
  async #versionPath(image: string): Promise<string | undefined> {
    const { server, path, digest } = parseImageReference(image)
    const version = (name: string) => `packages/${encodeURIComponent(name)}/versions/${digest}`
    if (registryKind(server) === 'pkg.dev') {
      const [project = '', repository = '', ...rest] = path.split('/')
      const location = server.replace(/-docker\.pkg\.dev$/, '')
      return `/v1/projects/${project}/locations/${location}/repositories/${repository}/${version(rest.join('/'))}`
    }
    if (!this.isUsed || server !== this.#settings.dockerServer) return undefined
    const registry = registryOf(this.#settings, await this.#account.project())
    const { path: of } = parseImageReference(imageName('gcp_cloudrun', registry, 'x'))
    const name = path.slice(of.length - 1)
    return `${await this.#repositories()}/${this.#settings.repository}/${version(name)}`
  }

  async #packagePath(path: string): Promise<string> {
    return `${await this.#repositories()}/${this.#settings.repository}/packages/${encodeURIComponent(path)}`
  }

  async #repositories(): Promise<string> {
    return `/v1/projects/${await this.#account.project()}/locations/${this.#settings.region}/repositories`
  }

  #ensure(signal: AbortSignal | undefined): Promise<void> {
    const { repository } = this.#settings
    return attempt(`looking for the repository ${repository} of Artifact Registry`, signal, async () => {
      const path = await this.#repositories()
      try {
        await googleRequest(this.#api, 'GET', `${path}/${repository}`, { signal })
        return
      } catch (error) {
        if (!hasCode(error, 'NOT_FOUND')) throw error
      }
      try {
        const operation = await googleRequest<Operation>(
          this.#api,
          'POST',
          `${path}?repositoryId=${encodeURIComponent(repository)}`,
          { signal, body: { format: 'DOCKER', description: 'Images of Lithops' } },
        )
        await this.#finished(operation, signal)
      } catch (error) {
        if (!hasCode(error, 'ALREADY_EXISTS')) throw error
      }
    })
  }

  async #finished(begun: Operation, signal: AbortSignal | undefined): Promise<void> {
    const endMs = performance.now() + OPERATION_MS
    let operation = begun
    while (operation.done !== true) {
      if (performance.now() > endMs)
        throw new RuntimeDeployError(
          `Artifact Registry did not end the operation ${operation.name} in ${OPERATION_MS / 1000} s.`,
          { isRetryable: true },
        )
      await pause(LOOK_MS, signal)
      operation = await googleRequest<Operation>(this.#api, 'GET', `/v1/${operation.name}`, { signal })
    }
    if (operation.error !== undefined)
      throw Object.assign(new Error(operation.error.message), { code: operation.error.code })
  }
}
