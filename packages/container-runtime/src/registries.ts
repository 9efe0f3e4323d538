import { ConfigError } from '@lithops/core/driver'
import { formatImageReference, parseImageReference } from './image-reference.ts'
import { loggedInUser } from './logged-in-user.ts'

/** Registries that name images and take passwords in ways of their own. */
export type RegistryKind = 'docker.io' | 'icr.io' | 'pkg.dev' | 'gcr.io' | 'ecr' | 'local' | 'other'

/** What a config says of a registry; the keys as Lithops (Python) names them, in camelCase. */
export interface RegistrySettings {
  /** Host, with its port where it has one. 'pkg.dev' alone stands for the host of `region`. */
  readonly dockerServer: string
  readonly dockerUser?: string | undefined
  readonly dockerPassword?: string | undefined
  /** Namespace of icr.io, and of other registries that have such a thing. */
  readonly dockerNamespace?: string | undefined
  /** For pkg.dev and gcr.io. */
  readonly project?: string | undefined
  /** For pkg.dev. */
  readonly region?: string | undefined
  /** For pkg.dev. Default: lithops. */
  readonly artifactRegistryRepository?: string | undefined
  /** Nobody else may pull what is pushed there: no warning is needed. Default: false. */
  readonly isPrivate?: boolean | undefined
}

/** Who pushes and pulls. */
export interface RegistryLogin {
  /** Host, with its port where it has one. */
  readonly server: string
  readonly user: string
  /** Given to tools on their standard input, and never written into a message. */
  readonly password: string
}

/** Whose password an API key or a token is. From: the registries' own pages on authentication. */
const TOKEN_USERS: Readonly<Partial<Record<RegistryKind, string>>> = {
  // https://cloud.ibm.com/docs/Registry?topic=Registry-registry_access
  'icr.io': 'iamapikey',
  // https://cloud.google.com/artifact-registry/docs/docker/authentication
  'pkg.dev': 'oauth2accesstoken',
  'gcr.io': 'oauth2accesstoken',
  // https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
  ecr: 'AWS',
}
const KEY_FILE_USER = '_json_key'
const DEFAULT_REPOSITORY = 'lithops'

/** Of a host, with or without port. */
export function registryKind(server: string): RegistryKind {
  const host = hostOf(server)
  if (host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)) return 'local'
  if (isBelow(host, 'docker.io')) return 'docker.io'
  if (isBelow(host, 'icr.io')) return 'icr.io'
  if (isBelow(host, 'pkg.dev')) return 'pkg.dev'
  if (isBelow(host, 'gcr.io')) return 'gcr.io'
  if (/^\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/.test(host)) return 'ecr'
  return 'other'
}

/**
 * Where what is pushed may be pulled by everybody, unless its owner has said otherwise: on Docker Hub new repositories are
 * public; plans of quay.io that cost nothing have no others; those of public.ecr.aws and ttl.sh always are. On ghcr.io,
 * registry.gitlab.com and the registries of clouds they are private until their owner says otherwise.
 */
const PUBLIC_SERVERS: ReadonlySet<string> = new Set(['docker.io', 'quay.io', 'public.ecr.aws', 'ttl.sh'])

/** Whether everybody sees what is pushed there, unless its owner has said otherwise. */
export function isPublicByDefault(server: string): boolean {
  return registryKind(server) === 'docker.io' || PUBLIC_SERVERS.has(hostOf(server))
}

/**
 * The name of an image in the registry of a config, as Lithops (Python) lays it out. `image` is a name and a tag, such as
 * `lithops-worker:1`.
 *
 * @param section name of the config section, for messages
 * @throws ConfigError LITHOPS_CONFIG that names the key that is missing
 */
export function imageName(section: string, settings: RegistrySettings, image: string): string {
  const { dockerUser, dockerNamespace, project } = settings
  const server = serverOf(section, settings)
  const need = (key: string, value: string | undefined, why: string) => {
    if (value !== undefined && value !== '') return value
    throw new ConfigError(`${section}.${key} is missing: ${why}.`)
  }
  const prefix = () => {
    switch (registryKind(server)) {
      case 'docker.io':
        return [
          need(
            'docker_user',
            dockerUser ?? loggedInUser(),
            'images on docker.io lie below the name of their user, and nobody has logged in there with docker or podman',
          ),
        ]
      case 'icr.io':
        return [need('docker_namespace', dockerNamespace, 'images on icr.io lie in a namespace')]
      case 'gcr.io':
        return [need('project_name', project, 'images on gcr.io lie in a project')]
      case 'pkg.dev':
        return [
          need('project_name', project, 'images on pkg.dev lie in a project'),
          settings.artifactRegistryRepository ?? DEFAULT_REPOSITORY,
        ]
      default:
        return [dockerNamespace ?? dockerUser].filter(part => part !== undefined)
    }
  }
  return formatImageReference(parseImageReference([server, ...prefix(), image].join('/')))
}

/** The full name of the image of a runtime's name, which is one in full already, or one in the registry of the config. Throws ConfigError. */
export function runtimeImage(section: string, settings: RegistrySettings, name: string): string {
  const first = name.includes('/') ? (name.split('/', 1)[0] as string) : ''
  const isFull = first === 'localhost' || /[.:]/.test(first)
  return isFull ? formatImageReference(parseImageReference(name)) : imageName(section, settings, name)
}

/**
 * Who logs in, by the config. Undefined where it has no password: the tool's own logins are used then.
 *
 * @throws ConfigError LITHOPS_CONFIG for a password without a user that could be known
 */
export function loginOf(section: string, settings: RegistrySettings): RegistryLogin | undefined {
  const { dockerUser, dockerPassword: password } = settings
  if (password === undefined || password === '') return undefined
  const server = serverOf(section, settings)
  const kind = registryKind(server)
  const isGoogle = kind === 'pkg.dev' || kind === 'gcr.io'
  // the user of a config may be there for names alone: who owns a token is not for the config to say
  const user =
    isGoogle && password.trimStart().startsWith('{') ? KEY_FILE_USER : (TOKEN_USERS[kind] ?? dockerUser)
  if (user !== undefined) return { server, user, password }
  throw new ConfigError(
    `${section}.docker_password is given without ${section}.docker_user: ${server} asks for both.`,
  )
}

/** The host that images are on. Throws ConfigError. */
function serverOf(section: string, { dockerServer, region }: RegistrySettings): string {
  const server = dockerServer.replace(/^https?:\/\//, '').replace(/\/+$/, '')
  if (server.includes('/'))
    throw new ConfigError(
      `${section}.docker_server must be a host, not '${dockerServer}': paths below it go into docker_namespace.`,
    )
  if (hostOf(server) === 'index.docker.io') return 'docker.io'
  if (server !== 'pkg.dev') return server
  if (region !== undefined && region !== '') return `${region}-docker.pkg.dev`
  throw new ConfigError(`${section}.region is missing: hosts of pkg.dev begin with it.`)
}

function hostOf(server: string): string {
  return server.replace(/:\d+$/, '')
}

function isBelow(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`) || host.endsWith(`-docker.${domain}`)
}
