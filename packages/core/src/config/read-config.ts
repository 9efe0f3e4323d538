import { existsSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ConfigSource } from '../driver/config-section.ts'
import { ConfigError } from '../errors/index.ts'
import { configLibraries } from './load-libraries.ts'

/** The sections of a config as they were written, and where they come from. */
export interface RawConfig {
  readonly sections: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly source: ConfigSource
}

export interface ConfigPlaces {
  /** A whole config given in code; nothing else is looked at. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Path of a file; nothing else is looked at. */
  readonly configFile?: string
  readonly environment?: NodeJS.ProcessEnv
  readonly directory?: string
  readonly home?: string
}

const SYSTEM_FILE = '/etc/lithops/config'

/**
 * Finds and reads the config. In this order: the object or file given in code; LITHOPS_CONFIG (JSON or YAML text);
 * LITHOPS_CONFIG_FILE; .lithops_config in the working directory; ~/.lithops/config; /etc/lithops/config. Undefined when
 * there is none. From: lithops/config.py.
 */
export function readConfig(places: ConfigPlaces = {}): RawConfig | undefined {
  const environment = places.environment ?? process.env
  if (places.config !== undefined) return sectionsOf(places.config, { name: 'the option config' })
  if (places.configFile !== undefined) return readFile(places.configFile)
  if (environment.LITHOPS_CONFIG !== undefined) {
    return parse(environment.LITHOPS_CONFIG, 'the environment variable LITHOPS_CONFIG')
  }
  if (environment.LITHOPS_CONFIG_FILE !== undefined) return readFile(environment.LITHOPS_CONFIG_FILE)
  const found = [
    join(places.directory ?? process.cwd(), '.lithops_config'),
    join(places.home ?? homedir(), '.lithops', 'config'),
    SYSTEM_FILE,
  ].find(existsSync)
  return found === undefined ? undefined : readFile(found)
}

function readFile(named: string): RawConfig {
  const path = named.replace(/^~(?=$|[\\/])/, homedir())
  try {
    if (statSync(path).isDirectory())
      throw new ConfigError(`The config ${path} is a folder. Name the file in it.`)
    return parse(readFileSync(path, 'utf8'), path)
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    const why =
      (cause as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'does not exist'
        : `cannot be read (${(cause as Error).message})`
    throw new ConfigError(`The config file ${path} ${why}.`, { cause })
  }
}

function parse(text: string, name: string): RawConfig {
  let value: unknown
  try {
    value = configLibraries().loadYaml(text, { filename: name })
  } catch (cause) {
    const { reason, mark } = cause as { reason?: string; mark?: { line: number; column: number } }
    const at = mark === undefined ? '' : `:${mark.line + 1}:${mark.column + 1}`
    throw new ConfigError(`${name}${at} is not valid YAML: ${reason ?? String(cause)}.`, { cause })
  }
  const lines = text.split('\n')
  return sectionsOf(value ?? {}, { name, lineOf: path => lineOf(lines, path) })
}

function sectionsOf(value: unknown, source: ConfigSource): RawConfig {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError(`${source.name} must hold sections such as \`lithops:\`, not ${describe(value)}.`)
  }
  const sections: Record<string, Record<string, unknown>> = {}
  for (const [name, section] of Object.entries(value)) {
    if (section === null) sections[name] = {}
    else if (typeof section === 'object' && !Array.isArray(section))
      sections[name] = section as Record<string, unknown>
    else
      throw new ConfigError(
        `${place(source, [name])}: section '${name}' must hold keys, not ${describe(section)}.`,
      )
  }
  return { sections, source }
}

/** Line of a section, or of a key in it, 1-based; the section's where the key has no line of its own (`{a: 1, b: 2}`). */
function lineOf(lines: readonly string[], path: readonly string[]): number | undefined {
  const [section, key] = path
  if (section === undefined) return undefined
  const begin = lines.findIndex(line => startsKey(line, section, ''))
  if (begin < 0) return undefined
  if (key === undefined) return begin + 1
  const isNextSection = (line: string, i: number) => i > begin && /^[^\s#-]/.test(line)
  const next = lines.findIndex(isNextSection)
  const end = next < 0 ? lines.length : next
  const at = lines.findIndex((line, i) => i > begin && i < end && startsKey(line, key, '\\s+'))
  return (at < 0 ? begin : at) + 1
}

function startsKey(line: string, key: string, indent: string): boolean {
  const name = key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${indent}["']?${name}["']?\\s*:`).test(line)
}

/** '.lithops_config:3', or the source's name where there are no lines. */
export function place(source: ConfigSource, path: readonly string[]): string {
  const name = source.nameOf?.(path) ?? source.name
  const line = source.lineOf?.(path)
  return line === undefined ? name : `${name}:${line}`
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  return value === null ? 'null' : typeof value === 'string' ? `the text '${value}'` : `a ${typeof value}`
}
