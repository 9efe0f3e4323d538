import type { ConfigFieldInfo, ConfigSection, ConfigSource } from '../driver/config-section.ts'
import { ConfigError } from '../errors/index.ts'
import { nearest } from '../errors/nearest.ts'
import { type ConfigLibraries, configLibraries } from './load-libraries.ts'
import { place } from './read-config.ts'

/** Checks a value, and gives it as the driver is to see it. Schemas of zod are some. */
export interface ConfigSchema {
  safeParse(value: unknown): { readonly success: boolean; readonly data?: unknown }
}

/** One key of a section. */
export interface ConfigField<T> extends Omit<ConfigFieldInfo, 'key'> {
  /** Asked for when the section is checked. */
  readonly schema: () => ConfigSchema
  /** Of an ignored key: whether this value asks for something that does not happen here. Default: none does. */
  readonly matters?: (value: unknown) => boolean
  /** Only for the type. */
  readonly value?: T
}

interface FieldOptions<T> {
  readonly doc: string
  readonly default?: T
  /** Environment variable that sets it. */
  readonly env?: string
  readonly secret?: boolean
  readonly required?: boolean
}

type Optional<T, O> = O extends { readonly default: unknown } | { readonly required: true }
  ? T
  : T | undefined

const TRUE_WORDS = new Set(['true', 'yes', 'on', '1'])
const FALSE_WORDS = new Set(['false', 'no', 'off', '0'])

function define<T, const O extends FieldOptions<T>>(
  type: string,
  options: O,
  schema: (zod: ConfigLibraries) => ConfigSchema,
): ConfigField<Optional<T, O>> {
  return { type, ...options, schema: () => schema(configLibraries()) }
}

/** A value is converted before it is checked. */
function converted(convert: (value: unknown) => unknown, schema: ConfigSchema): ConfigSchema {
  return { safeParse: value => schema.safeParse(convert(value)) }
}

/** The kinds of fields. */
export const field = {
  string: <const O extends FieldOptions<string>>(options: O) =>
    define<string, O>('text', options, z => converted(textOf, z.string().check(z.minLength(1)))),
  /** A whole number; text that is one is taken too, as it comes from the environment. */
  integer: <const O extends FieldOptions<number> & { readonly min?: number; readonly max?: number }>(
    options: O,
  ) => {
    const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = options
    const from = options.min === undefined ? '' : ` from ${options.min}`
    const to = options.max === undefined ? '' : ` to ${options.max}`
    return define<number, O>(`whole number${from}${to}`, options, z =>
      converted(numberOf, z.int().check(z.minimum(min), z.maximum(max))),
    )
  },
  number: <const O extends FieldOptions<number> & { readonly min?: number }>(options: O) =>
    define<number, O>(options.min === undefined ? 'number' : `number from ${options.min}`, options, z =>
      converted(numberOf, z.number().check(z.minimum(options.min ?? Number.NEGATIVE_INFINITY))),
    ),
  /** true or false, also as YAML 1.1 writes them: yes, no, on, off. */
  boolean: <const O extends FieldOptions<boolean>>(options: O) =>
    define<boolean, O>('true or false', options, z => converted(booleanOf, z.boolean())),
  choice: <const C extends readonly string[], const O extends FieldOptions<C[number]>>(
    choices: C,
    options: O,
  ) => define<C[number], O>(choices.map(c => `'${c}'`).join(' | '), options, z => z.choice(choices as never)),
  list: <const O extends FieldOptions<readonly string[]>>(options: O) =>
    define<readonly string[], O>('list of texts', options, z =>
      converted(value => (Array.isArray(value) ? value.map(textOf) : value), z.array(z.string())),
    ),
  /** One text or several. */
  names: <const O extends FieldOptions<string | readonly string[]>>(options: O) =>
    define<string | readonly string[], O>('a name, or a list of names', options, z => {
      const name = z.string().check(z.minLength(1))
      return z.union([name, z.array(name).check(z.minLength(1))])
    }),
  any: <const O extends FieldOptions<unknown>>(type: string, options: O) =>
    define<unknown, O>(type, options, z => z.any()),
  /**
   * A key of Lithops (Python) that has no meaning here. `doc` says what takes its place. Who gives it a value that `matters` is
   * warned; without that, nothing is lost, and it is told at the level debug alone.
   */
  ignored: (
    doc: string,
    { matters }: { readonly matters?: (value: unknown) => boolean } = {},
  ): ConfigField<undefined> => ({
    type: 'any',
    doc,
    ignored: true,
    schema: () => configLibraries().any(),
    ...(matters === undefined ? {} : { matters }),
  }),
}

type Fields = Readonly<Record<string, ConfigField<unknown>>>
type ConfigOf<F extends Fields> = { readonly [K in keyof F]: F[K] extends ConfigField<infer T> ? T : never }

/** Makes the schema of one section. */
export function defineConfigSection<const F extends Fields>(definition: {
  readonly name: string
  readonly inherits?: readonly string[]
  readonly fields: F
  /** Old or foreign names of keys, with the name to use. */
  readonly renamed?: Readonly<Record<string, string>>
}): ConfigSection<ConfigOf<F>> {
  const { name, inherits, fields, renamed = {} } = definition
  return {
    name,
    ...(inherits === undefined ? {} : { inherits }),
    fields: Object.entries(fields).map(([key, { schema: _, value: __, matters: ___, ...info }]) => ({
      key,
      ...info,
    })),
    parse: (raw, source) => parseSection<ConfigOf<F>>(name, fields, renamed, raw, source),
  }
}

function parseSection<Config>(
  name: string,
  fields: Fields,
  renamed: Readonly<Record<string, string>>,
  raw: Readonly<Record<string, unknown>>,
  source: ConfigSource,
): { config: Config; warnings: string[]; notes: string[] } {
  const problems: string[] = []
  const warnings: string[] = []
  const notes: string[] = []
  const config: Record<string, unknown> = {}
  const meaningful = Object.keys(fields).filter(key => fields[key]?.ignored !== true)
  for (const key of Object.keys(raw)) {
    const known = fields[key]
    const at = `${place(source, [name, key])}: ${name}.${key}`
    if (known?.ignored === true) {
      const matters = raw[key] !== null && known.matters?.(raw[key]) === true
      const told = matters ? warnings : notes
      told.push(`${at} has no meaning here: ${known.doc}`)
    } else if (renamed[key] !== undefined) problems.push(`${at} is called '${renamed[key]}' here.`)
    else if (known === undefined) problems.push(`${at} is not a known key.${didYouMean(key, meaningful)}`)
  }
  for (const [key, info] of Object.entries(fields)) {
    if (info.ignored === true) continue
    const given = raw[key] ?? (info.env === undefined ? undefined : process.env[info.env])
    const from =
      raw[key] === undefined && info.env !== undefined
        ? `the environment variable ${info.env}`
        : place(source, [name, key])
    if (given === undefined || given === null) {
      if (info.required === true)
        problems.push(`${place(source, [name])}: ${name}.${key} is missing. ${info.doc}`)
      config[key] = info.default
      continue
    }
    const result = info.schema().safeParse(given)
    if (result.success) config[key] = result.data
    else
      problems.push(
        `${from}: ${name}.${key} must be ${aOf(info.type)}, not ${info.secret === true ? '(a secret)' : show(given)}.`,
      )
  }
  if (problems.length > 0) throw configError(problems)
  return { config: Object.freeze(config) as Config, warnings, notes }
}

/** 'whole number from 1' becomes 'a whole number from 1'; "'a' | 'b'" stays. */
function aOf(type: string): string {
  return /^(text|list|number|whole)/.test(type) ? `a ${type}` : type
}

export function configError(problems: readonly string[]): ConfigError {
  const text = problems.length === 1 ? ` ${problems[0]}` : `\n  ${problems.join('\n  ')}`
  return new ConfigError(`The configuration is wrong:${text}`, { details: { problems } })
}

/** " Did you mean 'backend'?", or the list of what there is. */
export function didYouMean(word: string, choices: readonly string[]): string {
  if (choices.length === 0) return ''
  const meant = nearest(word, choices)
  return meant === undefined ? ` There are: ${choices.join(', ')}.` : ` Did you mean '${meant}'?`
}

/** YAML makes numbers of names such as 2024; of nothing else that is no text is a name made. */
function textOf(value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value
}

function numberOf(value: unknown): unknown {
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : value
}

function booleanOf(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const word = value.toLowerCase()
  return TRUE_WORDS.has(word) ? true : FALSE_WORDS.has(word) ? false : value
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value))
}
