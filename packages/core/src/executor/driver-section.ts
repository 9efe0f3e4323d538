import type { ResolvedConfig } from '../config/resolve-config.ts'
import type {
  ComputeDriver,
  DriverContext,
  DriverLog,
  MonitorDriver,
  StorageDriver,
} from '../driver/driver.ts'
import { projectDirectory } from './find-driver.ts'

/** Key of backends that can put a job's function into its runtime. */
const INCLUDE_FUNCTION = 'runtime_include_function'

/** The driver's own section, checked by its own schema. */
export function sectionOf(
  driver: ComputeDriver | StorageDriver | MonitorDriver,
  config: ResolvedConfig | undefined,
  log: DriverLog,
): Record<string, unknown> {
  const { raw, source } = config?.section(driver.name, driver.config?.inherits) ?? {
    raw: {},
    source: { name: 'the options' },
  }
  if (driver.config === undefined) return raw
  // serverless.customized_runtime says the same for all backends that know it
  const isCustomized =
    config?.customizedRuntime === true && driver.config.fields.some(({ key }) => key === INCLUDE_FUNCTION)
  const parsed = driver.config.parse(isCustomized ? { [INCLUDE_FUNCTION]: true, ...raw } : raw, source)
  tellOfConfig(parsed, log)
  return parsed.config as Record<string, unknown>
}

const told = new Set<string>()

/** Warnings of a config once in a program, however many executors it makes; notes at the level debug. */
export function tellOfConfig(
  { warnings, notes = [] }: { readonly warnings: readonly string[]; readonly notes?: readonly string[] },
  log: DriverLog,
): void {
  for (const warning of warnings) {
    if (!told.has(warning)) log.warn(warning)
    told.add(warning)
  }
  for (const note of notes) log.debug(note)
}

/** What drivers are told of the program that opens them. */
export function driverContext(log: DriverLog): DriverContext {
  return {
    projectDirectory: projectDirectory(),
    userName: process.env.USER ?? process.env.USERNAME ?? 'user',
    log,
  }
}

/** Config names of drivers, by which they are wanted or which they have themselves. */
export function namesOf(choices: readonly unknown[]): string[] {
  return choices.flatMap(choice => {
    const name = typeof choice === 'string' ? choice : (choice as { name?: unknown } | null | undefined)?.name
    return typeof name === 'string' ? [name] : []
  })
}

export const LEVELS = ['debug', 'info', 'warning', 'error']
/** Other names of levels, as Lithops (Python) has them. */
const LEVEL_NAMES: Readonly<Record<string, string>> = { critical: 'error', warn: 'warning' }

/** Writes lines from a level on to standard error. */
export function makeLog(level: string): DriverLog {
  const from = LEVELS.indexOf(LEVEL_NAMES[level] ?? level)
  const line = (at: number, message: string) => {
    if (at >= from) process.stderr.write(`lithops: ${message}\n`)
  }
  return {
    debug: message => line(0, message),
    info: message => line(1, message),
    warn: message => line(2, message),
  }
}
