import { LITHOPS_VERSION, LithopsError } from '@lithops/core'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { clean } from './commands/clean.ts'
import { hello } from './commands/hello.ts'
import { attachJob, jobResults, listJobs } from './commands/jobs.ts'
import { platformLogs } from './commands/logs.ts'
import { listRuntimes } from './commands/runtime-list.ts'
import {
  buildRuntime,
  deleteRuntime,
  deployRuntime,
  extendRuntime,
  printPolicies,
  updateRuntime,
} from './commands/runtimes.ts'
import { selfTest } from './commands/self-test.ts'
import { addStorageCommands } from './commands/storage/index.ts'
import { type GlobalOptions, UsageError } from './global-options.ts'
import { InterruptedError } from './interruptible.ts'

/** All went well. */
const EXIT_OK = 0
/** Something failed: a call, a backend, a check. */
const EXIT_FAILED = 1
/** The command line or the config is wrong; nothing was started. */
const EXIT_USAGE = 2

const USAGE_CODES = new Set(['LITHOPS_CONFIG', 'LITHOPS_DRIVER_NOT_FOUND', 'LITHOPS_DRIVER_CONTRACT'])

const EXAMPLES = `
Examples:
  $ lithops hello                      one call on the configured backend, on this machine without a config
  $ lithops hello --map 100            a hundred calls
  $ lithops test -b aws_lambda         try a backend out
  $ lithops runtime deploy -b aws_lambda --create-role
                                       make its workers ready, and the role that they need
  $ lithops runtime extend default --filepath src/scale.ts --function scale -b knative
                                       put a function into a runtime ahead of its jobs
  $ lithops logs a1b2c3-0-M000         what the workers of a job wrote, on a platform that keeps it
  $ lithops job attach a1b2c3-0-M000   finish a job whose program is gone
  $ lithops storage put data.csv mine  write a file into the bucket 'mine'
  $ lithops clean --dry-run            see what would be removed

Config: --config FILE, else LITHOPS_CONFIG, LITHOPS_CONFIG_FILE, .lithops_config, ~/.lithops/config, /etc/lithops/config.
Exit codes: 0 all went well, 1 something failed, 2 the command line or the config is wrong, 130 interrupted by Ctrl-C.`

const EXTEND_HELP = `
BASE_RUNTIME_NAME is a runtime of \`lithops runtime build\`, or 'default'. The same content gives the same name, and nothing is
built. The last line on standard output names the new runtime, for the config:

  serverless:
      runtime: <the name>
      map_func_mod: <the file>
      map_func: <the function>

The code goes into an image or package as it is: whoever may pull it sees what is written in it. Keep secrets out of it.`

/** Runs one command line. Returns the exit code; writes results to standard output and all else to standard error. */
export async function runCli(args: readonly string[]): Promise<number> {
  let isFailed = false
  const program = makeProgram(ok => {
    if (!ok) isFailed = true
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return isFailed ? EXIT_FAILED : EXIT_OK
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE
    if (error instanceof InterruptedError) return error.exitCode
    return report(error, program.opts<GlobalOptions>())
  }
}

function makeProgram(finished: (ok: boolean) => void): Command {
  const program = new Command('lithops')
    .description(
      'Run plain TypeScript functions over a lot of data on serverless compute, or on this machine.',
    )
    .version(LITHOPS_VERSION, '--version', 'print the version')
    .option('-c, --config <file>', 'config file to use instead of those that are searched')
    .option('-b, --backend <name>', 'compute backend, instead of the config’s')
    .option('-s, --storage <name>', 'storage, instead of the config’s')
    .option('-d, --debug', 'tell more on standard error, with stacks of errors')
    .option('--json', 'print results as JSON')
    .helpOption('-h, --help', 'print this help')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(see lithops --help)')
    .showSuggestionAfterError()
    .exitOverride()
  const run =
    <O>(command: (options: GlobalOptions & O) => Promise<boolean>) =>
    async (_: unknown, self: Command) =>
      finished(await command(self.optsWithGlobals<GlobalOptions & O>()))
  const runOn =
    <O>(command: (argument: string, options: GlobalOptions & O) => Promise<boolean>) =>
    async (argument: string, _: unknown, self: Command) =>
      finished(await command(argument, self.optsWithGlobals<GlobalOptions & O>()))

  program
    .command('hello')
    .description('run a function on the backend and print what it returns')
    .option('--map <n>', 'run it n times at once', wholeNumber)
    .action(run(hello))
  program
    .command('test')
    .description('check that calls, maps, reduces, errors, timeouts and storage work on the backend')
    .action(run(selfTest))
  addRuntimeCommands(program, run, finished)
  program
    .command('logs <id>')
    .description(
      'print what workers wrote into the log of the platform: of a job by its key, or of one request by its id',
    )
    .option('--since <minutes>', 'only what is not older', wholeNumber)
    .action(runOn(platformLogs))
  const job = program
    .command('job')
    .description('see jobs that lie in storage, finish them, and read their results')
  job.command('list').description('print the jobs in storage, and how far they are').action(run(listJobs))
  job
    .command('attach <key>')
    .description('wait for a job of another program, and run what that program has left when it is gone')
    .option('--no-resume', 'only wait: run nothing')
    .action(runOn(attachJob))
  job
    .command('results <key>')
    .description('print the results that are there, one line per call')
    .option('--remove', 'remove the job from storage afterwards')
    .action(runOn(jobResults))
  addStorageCommands(program, finished)
  program
    .command('clean')
    .description('remove what this tool left on the backend and in its storage')
    .option('--dry-run', 'only print what would be removed')
    .action(run(clean))
  return program
}

type Run = <O>(
  command: (options: GlobalOptions & O) => Promise<boolean>,
) => (_: unknown, self: Command) => Promise<void>

function addRuntimeCommands(program: Command, run: Run, finished: (ok: boolean) => void): void {
  const runtime = program.command('runtime').description('manage runtimes')
  const runOnNamed =
    <O>(command: (name: string | undefined, options: GlobalOptions & O) => Promise<boolean>) =>
    async (name: string | undefined, _: unknown, self: Command) =>
      finished(await command(name, self.optsWithGlobals<GlobalOptions & O>()))
  const memory = ['--memory <mib>', 'memory of its workers in MiB', wholeNumber] as const
  runtime.command('list').description('print the runtimes that are deployed').action(run(listRuntimes))
  runtime
    .command('deploy [name]')
    .description('make a runtime ready before the first job does')
    .option(...memory)
    .option('--create-role', 'make the role of the workers, where the config names none')
    .action(runOnNamed(deployRuntime))
  runtime
    .command('update [name]')
    .description('remove what is deployed of a runtime, of any version, and deploy it anew')
    .option(...memory)
    .action(runOnNamed(updateRuntime))
  runtime
    .command('delete [name]')
    .description('remove a runtime, or one worker of `runtime list`; the next job deploys it again')
    .option(...memory)
    .action(runOnNamed(deleteRuntime))
  runtime
    .command('build <name> [arguments...]')
    .description('build a runtime of your own; arguments after -- go to the tool that builds')
    .option('-f, --file <file>', 'Dockerfile or recipe')
    .action(async (name: string, extra: string[], _: unknown, self: Command) =>
      finished(await buildRuntime(name, self.optsWithGlobals(), extra)),
    )
  const modules = (text: string, before: readonly string[] = []) => [...before, ...text.split(',')]
  runtime
    .command('extend <base-runtime-name>')
    .description(
      'put a function into a runtime, under a new name by its content, and deploy it: jobs of a config that names both send no code',
    )
    .requiredOption('--filepath <file>', 'TypeScript or JavaScript file that exports the function')
    .requiredOption('--function <name>', "name of the export; 'default' for the default one")
    .option(...memory)
    .option('--create-role', 'make the role of the workers, where the config names none')
    .option('--include-modules <names>', 'modules to bundle though nothing imports them literally', modules)
    .option('--exclude-modules <names>', 'modules to leave out because the runtime has them', modules)
    .addHelpText('after', EXTEND_HELP)
    .action(async (base: string, _: unknown, self: Command) =>
      finished(await extendRuntime(base, self.optsWithGlobals())),
    )
  runtime
    .command('policies')
    .description('print the least that deployer and workers must be allowed on the platform')
    .action(run(printPolicies))
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number from 1.')
  return value
}

function report(error: unknown, options: GlobalOptions): number {
  const message = error instanceof Error ? error.message : String(error)
  const code = LithopsError.isInstance(error) ? error.code : undefined
  if (options.json) console.log(JSON.stringify({ ok: false, error: { code, message } }))
  else process.stderr.write(`lithops: ${message}${code === undefined ? '' : ` [${code}]`}\n`)
  if (options.debug && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  const isUsage = error instanceof UsageError || (code !== undefined && USAGE_CODES.has(code))
  return isUsage ? EXIT_USAGE : EXIT_FAILED
}
