/** Where a value came from, for error messages: a file and line, an environment name, constructor options. */
export interface ConfigSource {
  /** E.g. '.lithops_config', 'environment LITHOPS_CONFIG', 'options of FunctionExecutor'. */
  readonly name: string
  /** Name of where one key comes from, when that is not `name`: a file can be overruled in code. */
  nameOf?(path: readonly string[]): string | undefined
  /** Line of a key in the file, 1-based; undefined where there are no lines. */
  lineOf?(path: readonly string[]): number | undefined
}

/** One field of a section: everything that the reference page, the CLI help and the redaction of logs need. */
export interface ConfigFieldInfo {
  readonly key: string
  /** For people: 'string', 'integer ≥ 1', "'x86_64' | 'arm64'". */
  readonly type: string
  readonly default?: unknown
  /** Environment variable that sets it. */
  readonly env?: string
  readonly doc: string
  readonly secret?: boolean
  readonly required?: boolean
  /** A key that Lithops (Python) knows and that has no meaning here: accepted, with a warning where something is lost. */
  readonly ignored?: boolean
}

/** The schema of one config section, owned by the package that reads it. */
export interface ConfigSection<Config = Record<string, unknown>> {
  /** Section name, e.g. 'aws_lambda'. */
  readonly name: string
  /** Sections whose keys are defaults for this one, e.g. 'aws' for 'aws_lambda'. */
  readonly inherits?: readonly string[]
  readonly fields: readonly ConfigFieldInfo[]
  /**
   * Checks a raw section and fills defaults. Throws one ConfigError that lists all problems, each with its key,
   * source and line, what was expected, and the nearest valid key. Returns a frozen object, warnings, and notes: what is told at the
   * level debug alone.
   */
  parse(
    raw: Readonly<Record<string, unknown>>,
    source: ConfigSource,
  ): {
    readonly config: Config
    readonly warnings: readonly string[]
    /** Absent: none. */
    readonly notes?: readonly string[]
  }
}
