import { type GlobalOptions, print, withExecutor } from '../global-options.ts'

/** Which runtime; what is left out is as in the config. */
interface RuntimeOptions extends GlobalOptions {
  readonly memory?: number
}

/** `lithops runtime deploy [NAME] [--memory N] [--create-role]` */
export function deployRuntime(
  name: string | undefined,
  options: RuntimeOptions & { readonly createRole?: boolean },
): Promise<boolean> {
  return withExecutor(options, async fexec => {
    const { createRole } = options
    const deployed = await fexec.runtimes.deploy({
      ...choiceOf(name, options),
      ...(createRole === undefined ? {} : { createRole }),
    })
    const lines = deployed.map(
      ({ backend, runtime, nodeVersion, lithopsVersion, arch }) =>
        `${backend}: runtime '${runtime.name}' is ready: Node ${nodeVersion}, Lithops ${lithopsVersion}, ${arch}.`,
    )
    print(options, { ok: true, deployed }, lines.join('\n'))
    return true
  })
}

/**
 * `lithops runtime update [NAME] [--memory N]`: removes what is deployed under the name, of this and of other versions, and
 * deploys it anew.
 */
export function updateRuntime(name: string | undefined, options: RuntimeOptions): Promise<boolean> {
  return withExecutor(options, async fexec => {
    const deployed = await fexec.runtimes.update(choiceOf(name, options))
    const lines = deployed.map(
      ({ backend, runtime, lithopsVersion }) =>
        `${backend}: runtime '${runtime.name}' is up to date: Lithops ${lithopsVersion}.`,
    )
    print(options, { ok: true, deployed }, lines.join('\n'))
    return true
  })
}

/** `lithops runtime delete [NAME] [--memory N]` */
export function deleteRuntime(name: string | undefined, options: RuntimeOptions): Promise<boolean> {
  return withExecutor(options, async fexec => {
    await fexec.runtimes.delete(choiceOf(name, options))
    print(
      options,
      { ok: true },
      'The runtime is removed. The next job deploys it again; one that was extended must be extended again first.',
    )
    return true
  })
}

/** `lithops runtime build NAME [-f FILE] [-- ARGUMENTS]` */
export function buildRuntime(
  name: string,
  options: GlobalOptions & { readonly file?: string },
  extraArgs: readonly string[] = [],
): Promise<boolean> {
  return withExecutor(options, async fexec => {
    const { file } = options
    await fexec.runtimes.build({ name, extraArgs, ...(file === undefined ? {} : { file }) })
    print(options, { ok: true }, `Runtime '${name}' is built.`)
    return true
  })
}

/** `lithops runtime extend BASE_RUNTIME_NAME --filepath FILE --function NAME [--memory N] [--create-role]` */
export function extendRuntime(
  base: string,
  options: RuntimeOptions & {
    readonly filepath: string
    readonly function: string
    readonly createRole?: boolean
    readonly includeModules?: readonly string[]
    readonly excludeModules?: readonly string[]
  },
): Promise<boolean> {
  return withExecutor(options, async (fexec, signal) => {
    const { filepath, function: name, createRole, includeModules, excludeModules } = options
    const extended = await fexec.runtimes.extend({
      ...choiceOf(base, options),
      filepath,
      function: name,
      signal,
      ...(createRole === undefined ? {} : { createRole }),
      ...(includeModules === undefined ? {} : { includeModules }),
      ...(excludeModules === undefined ? {} : { excludeModules }),
    })
    const lines = extended.map(({ name: runtime }) => `Extended runtime: ${runtime}`)
    print(options, { ok: true, extended }, lines.join('\n'))
    return true
  })
}

/** `lithops runtime policies` */
export function printPolicies(options: GlobalOptions): Promise<boolean> {
  return withExecutor(options, async fexec => {
    const policies = await fexec.runtimes.policies()
    const text = policies.map(
      ({ backend, name, purpose, document }) =>
        `# ${backend}, ${name}: ${purpose}\n${JSON.stringify(document, null, 2)}`,
    )
    print(options, { ok: true, policies }, text.join('\n\n') || 'The backend needs no policies.')
    return true
  })
}

function choiceOf(name: string | undefined, { memory }: RuntimeOptions) {
  return { ...(name === undefined ? {} : { name }), ...(memory === undefined ? {} : { memoryMiB: memory }) }
}
