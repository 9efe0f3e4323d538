import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { ConfigSource } from '../driver/config-section.ts'
import { ConfigError } from '../errors/index.ts'
import { KNOWN_SECTIONS, lithopsSection, localhostSection, serverlessSection } from './lithops-section.ts'
import { type ConfigPlaces, place, type RawConfig, readConfig } from './read-config.ts'
import { configError, didYouMean } from './section.ts'

type LithopsConfig = ReturnType<typeof lithopsSection.parse>['config']
type LocalhostConfig = ReturnType<typeof localhostSection.parse>['config']
type ServerlessConfig = ReturnType<typeof serverlessSection.parse>['config']

/** What the program says in code on top of the config. */
export interface ConfigOverrides extends ConfigPlaces {
  readonly lithops?: Readonly<Record<string, unknown>>
  readonly localhost?: Readonly<Record<string, unknown>>
  /** Names of drivers that the program chose in code; the config may have sections for them. */
  readonly drivers?: readonly string[]
}

/** A checked config. */
export interface ResolvedConfig {
  readonly lithops: LithopsConfig
  readonly localhost: LocalhostConfig
  readonly serverless: ServerlessConfig
  /** `serverless: {customized_runtime: true}`: backends that can put functions into their runtimes do so. */
  readonly customizedRuntime: boolean
  /** Folder of the config file; undefined for a config that is in no file. */
  readonly folder: string | undefined
  readonly warnings: readonly string[]
  /** Told at the level debug alone. */
  readonly notes: readonly string[]
  /** Raw keys of a section of somebody else, with the sections that it inherits from below it. */
  section(
    name: string,
    inherits?: readonly string[],
  ): { readonly raw: Record<string, unknown>; readonly source: ConfigSource }
}

/** Names in the environment that mean something even without a config. */
const ENVIRONMENT = [...lithopsSection.fields, ...localhostSection.fields].flatMap(f =>
  f.env === undefined ? [] : [f.env],
)

/** Reads and checks the config. Undefined when nothing at all is said anywhere: the embedded default. */
export function resolveConfig(overrides: ConfigOverrides): ResolvedConfig | undefined {
  const read = readConfig(overrides)
  const isSilent =
    read === undefined &&
    overrides.lithops === undefined &&
    overrides.localhost === undefined &&
    !ENVIRONMENT.some(name => process.env[name] !== undefined)
  if (isSilent) return undefined
  const config = read ?? { sections: {}, source: { name: 'the options' } }
  const { checked, done } = collector()
  const lithops = checked(() => lithopsSection.parse(...merged(config, 'lithops', overrides.lithops)))
  const localhost = checked(() => localhostSection.parse(...merged(config, 'localhost', overrides.localhost)))
  const { backend, storage, monitoring } = lithops?.config ?? config.sections.lithops ?? {}
  const named = [backend, storage, monitoring, overrides.drivers].flat()
  checked(() =>
    checkSections(
      config,
      named.filter(name => typeof name === 'string'),
    ),
  )
  const serverless = checked(() => parseServerless(config))
  done()
  if (lithops === undefined || localhost === undefined || serverless === undefined)
    throw new Error('done() has thrown')
  return {
    lithops: lithops.config,
    serverless: serverless.config,
    customizedRuntime: serverless.config.customized_runtime ?? lithops.config.customized_runtime ?? false,
    folder: existsSync(config.source.name) ? dirname(resolve(config.source.name)) : undefined,
    localhost: localhost.config,
    warnings: [lithops, localhost, serverless].flatMap(({ warnings }) => warnings),
    notes: [lithops, localhost, serverless].flatMap(({ notes = [] }) => notes),
    section: (name, inherits = []) => ({
      raw: Object.assign({}, ...inherits.map(parent => inheritable(config, parent)), config.sections[name]),
      source: config.source,
    }),
  }
}

/** Runs checks that throw, so that a config is read once and all that is wrong with it is said at once. */
function collector() {
  const problems: string[] = []
  return {
    checked<T>(check: () => T): T | undefined {
      try {
        return check()
      } catch (error) {
        const found = ConfigError.isInstance(error) ? error.details.problems : undefined
        if (!Array.isArray(found)) throw error
        problems.push(...found)
        return undefined
      }
    },
    done(): void {
      if (problems.length > 0) throw configError(problems)
    },
  }
}

/** Options in code win over the environment, and the environment over the file. */
function merged(
  config: RawConfig,
  name: 'lithops' | 'localhost',
  overrides: Readonly<Record<string, unknown>> = {},
): [Record<string, unknown>, ConfigSource] {
  const section = { ...config.sections[name] }
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))
  const { fields } = name === 'lithops' ? lithopsSection : localhostSection
  // what is not in the section is read from the environment by its schema, which names the variable when it is wrong
  for (const { key, env } of fields)
    if (env !== undefined && process.env[env] !== undefined) delete section[key]
  const isGiven = (path: readonly string[]) => path[1] !== undefined && path[1] in given
  const source: ConfigSource = {
    name: config.source.name,
    nameOf: path => (isGiven(path) ? 'the options' : config.source.nameOf?.(path)),
    lineOf: path => (isGiven(path) ? undefined : config.source.lineOf?.(path)),
  }
  return [{ ...section, ...given }, source]
}

function inheritable(config: RawConfig, name: string): Readonly<Record<string, unknown>> {
  return config.sections[name] ?? {}
}

/** A section that nobody knows is most likely a typing error; that of a third party's driver has a chosen name. */
function checkSections(config: RawConfig, chosen: readonly string[]): void {
  const problems = Object.keys(config.sections)
    .filter(
      name =>
        !KNOWN_SECTIONS.includes(name) &&
        !chosen.some(choice => choice.includes(name.replaceAll('_', '-')) || choice === name),
    )
    .map(
      name =>
        `${place(config.source, [name])}: there is no section '${name}'.${didYouMean(name, KNOWN_SECTIONS)}`,
    )
  if (problems.length > 0) throw configError(problems)
}

function parseServerless({ sections, source }: RawConfig): ReturnType<typeof serverlessSection.parse> {
  const parsed = serverlessSection.parse(sections.serverless ?? {}, source)
  const { map_func_mod: module, map_func: name } = parsed.config
  if ((module === undefined) === (name === undefined)) return parsed
  const [given, missing] = module === undefined ? ['map_func', 'map_func_mod'] : ['map_func_mod', 'map_func']
  throw configError([
    `${place(source, ['serverless', given])}: serverless.${given} is given without ${missing}: the one names a file, the other a function in it.`,
  ])
}
