import { decodeSecrets, mergeSecrets, RuntimeDeployError, type WorkerSecrets } from '@lithops/core/driver'
import type { GoogleAccount } from './google-account.ts'
import { type CallOptions, type GoogleApi, googleRequest, originOf } from './google-requests.ts'
import { SECRET_BYTES } from './limits.ts'
import { isOf, labelsOf, shortName } from './names.ts'
import { attempt, failureOf, hasCode } from './vendor-errors.ts'

const CHANGE_ATTEMPTS = 8
const PAGE = 250
/** Another program may have read that one is the latest, and be about to look at it again. */
const KEPT_MS = 600_000
const READER = 'roles/secretmanager.secretAccessor'

interface Secret {
  /** `projects/<number>/secrets/<name>` */
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
}

interface Policy {
  readonly bindings?: readonly { readonly role: string; readonly members?: readonly string[] }[]
  readonly etag?: string
}

interface ListedVersion {
  readonly name: string
  readonly createTime?: string
  readonly state?: string
}

interface Version {
  /** A number. */
  readonly id: string
  readonly text: string
}

/** What workers need to open storages, in Secret Manager: services name a version of it, and have nothing of it themselves. */
export class ServiceSecrets {
  readonly #account: GoogleAccount
  readonly #api: GoogleApi
  readonly #user: string

  constructor(account: GoogleAccount, endpoint: URL | undefined, user: string) {
    this.#account = account
    this.#api = { account, origin: originOf('secretmanager', endpoint) }
    this.#user = user
  }

  /**
   * Places secrets beside those that were placed before, and lets the workers' account read them. Any number of programs may do
   * so at once: versions have numbers without gaps, so that who comes between is noticed.
   *
   * @returns the number of the version that has all of them
   */
  place(
    name: string,
    secrets: readonly WorkerSecrets[],
    { serviceAccount, signal }: CallOptions & { readonly serviceAccount: string | undefined },
  ): Promise<string> {
    return attempt(`placing the secret ${name}`, signal, async () => {
      let wanted = secrets
      for (let tries = 1; ; tries++) {
        const latest = await this.#version(name, 'latest', { signal })
        const text = mergeSecrets(latest?.text, wanted)
        if (latest?.text === text) return latest.id
        if (Buffer.byteLength(text) > SECRET_BYTES)
          throw new RuntimeDeployError(
            `The secrets of storages take ${Buffer.byteLength(text)} bytes, and a secret of Secret Manager takes ${SECRET_BYTES}. ` +
              '`lithops clean -b gcp_cloudrun` removes those of storages that are not used any more.',
          )
        if (latest === undefined) await this.#ensure(name, serviceAccount, { signal })
        const added = await this.#add(name, text, { signal })
        // what others have placed between the two is not in ours
        const missed: WorkerSecrets[] = []
        for (let id = Number(latest?.id ?? 0) + 1; id < Number(added); id++)
          missed.push(...decodeSecrets((await this.#version(name, String(id), { signal }))?.text))
        if (missed.length === 0 || tries >= CHANGE_ATTEMPTS) return added
        const own = new Set(secrets.map(({ storageId }) => storageId))
        wanted = [...missed.filter(({ storageId }) => !own.has(storageId)), ...secrets]
      }
    })
  }

  /** The number of the latest version; undefined where nothing was placed. */
  placed(name: string, { signal }: CallOptions): Promise<string | undefined> {
    return attempt(
      `looking for the secret ${name}`,
      signal,
      async () => (await this.#version(name, 'latest', { signal }))?.id,
    )
  }

  /**
   * Destroys versions that nothing uses any more. What was placed in the last minutes stays: other programs may be about to add to it.
   *
   * @param usedFrom the oldest version that something uses
   */
  tidy(name: string, usedFrom: number, { signal }: CallOptions): Promise<void> {
    return attempt(`destroying old versions of the secret ${name}`, signal, async () => {
      const path = `${await this.#path()}/${name}/versions`
      let token = ''
      do {
        const page = await googleRequest<{
          readonly versions?: readonly ListedVersion[]
          readonly nextPageToken?: string
        }>(this.#api, 'GET', `${path}?pageSize=${PAGE}&pageToken=${encodeURIComponent(token)}`, { signal })
        for (const { name: version, createTime = '', state } of page.versions ?? []) {
          const isOld = Number(shortName(version)) < usedFrom && Date.now() - Date.parse(createTime) > KEPT_MS
          if (isOld && state !== 'DESTROYED')
            await googleRequest(this.#api, 'POST', `${path}/${shortName(version)}:destroy`, {
              signal,
              body: {},
            })
        }
        token = page.nextPageToken ?? ''
      } while (token !== '')
    })
  }

  /** Names of this user's. */
  list(signal: AbortSignal | undefined): Promise<readonly string[]> {
    return attempt('listing secrets', signal, async () => {
      const names: string[] = []
      let token = ''
      do {
        const page = await googleRequest<{
          readonly secrets?: readonly Secret[]
          readonly nextPageToken?: string
        }>(
          this.#api,
          'GET',
          `${await this.#path()}?pageSize=${PAGE}&pageToken=${encodeURIComponent(token)}`,
          {
            signal,
          },
        )
        for (const { name, labels } of page.secrets ?? [])
          if (isOf(this.#user, shortName(name), labels)) names.push(shortName(name))
        token = page.nextPageToken ?? ''
      } while (token !== '')
      return names
    })
  }

  /** One that is not there is no error. */
  remove(name: string, signal: AbortSignal | undefined): Promise<void> {
    return attempt(`removing the secret ${name}`, signal, async () => {
      await this.#orNothing(async () =>
        googleRequest(this.#api, 'DELETE', `${await this.#path()}/${name}`, { signal }),
      )
    })
  }

  async #version(name: string, version: string, options: CallOptions): Promise<Version | undefined> {
    // one that was destroyed has nothing any more
    const found = await this.#orNothing(async () =>
      googleRequest<{ readonly name: string; readonly payload: { readonly data: string } }>(
        this.#api,
        'GET',
        `${await this.#path()}/${name}/versions/${version}:access`,
        options,
      ),
    )
    if (found === undefined) return undefined
    return { id: shortName(found.name), text: Buffer.from(found.payload.data, 'base64').toString('utf8') }
  }

  async #ensure(name: string, serviceAccount: string | undefined, options: CallOptions): Promise<void> {
    const path = await this.#path()
    let secret: Secret | undefined
    try {
      secret = await googleRequest<Secret>(this.#api, 'POST', `${path}?secretId=${name}`, {
        ...options,
        body: { labels: labelsOf(this.#user), replication: { automatic: {} } },
      })
    } catch (error) {
      if (!hasCode(error, 'ALREADY_EXISTS')) throw error
      secret = await googleRequest<Secret>(this.#api, 'GET', `${path}/${name}`, options)
    }
    const number = /^projects\/(\d+)\//.exec(secret.name)?.[1] ?? ''
    const member = `serviceAccount:${serviceAccount ?? `${number}-compute@developer.gserviceaccount.com`}`
    await this.#allow(`${path}/${name}`, member, options)
  }

  async #allow(path: string, member: string, options: CallOptions): Promise<void> {
    const policy = await googleRequest<Policy>(this.#api, 'GET', `${path}:getIamPolicy`, options)
    const bindings = policy.bindings ?? []
    const has = bindings.some(({ role, members = [] }) => role === READER && members.includes(member))
    if (has) return
    await googleRequest(this.#api, 'POST', `${path}:setIamPolicy`, {
      ...options,
      body: { policy: { ...policy, bindings: [...bindings, { role: READER, members: [member] }] } },
    })
  }

  async #add(name: string, text: string, options: CallOptions): Promise<string> {
    const body = { payload: { data: Buffer.from(text).toString('base64') } }
    const path = `${await this.#path()}/${name}:addVersion`
    const added = await googleRequest<{ readonly name: string }>(this.#api, 'POST', path, {
      ...options,
      body,
    })
    return shortName(added.name)
  }

  async #path(): Promise<string> {
    return `/v1/projects/${await this.#account.project()}/secrets`
  }

  async #orNothing<T>(act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act()
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND') || isDestroyed(error)) return undefined
      throw error
    }
  }
}

function isDestroyed(error: unknown): boolean {
  return hasCode(error, 'FAILED_PRECONDITION') && /DESTROYED/.test(failureOf(error).message)
}
