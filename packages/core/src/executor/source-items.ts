import { ObjectSource } from '../data/object-source.ts'
import { type CutOptions, compileCut } from '../data/source-options.ts'
import { ConfigError, NotSupportedError } from '../errors/index.ts'
import type { Job } from '../job/job.ts'
import type { CallOptions } from '../job/job-options.ts'
import type { ObjectPiece } from '../piece/index.ts'
import type { ExecutorSurroundings } from './open-executor.ts'

const NAMES = { chunkSize: 'objChunkSize', chunkNumber: 'objChunkNumber', newline: 'objNewline' } as const

/** The job's options with what its source of objects needs on workers. */
export function optionsWithSource<O extends CallOptions>(items: unknown, options: O): O {
  // what is no object is refused with the other options
  if (typeof options !== 'object' || options === null) return options
  if (!(items instanceof ObjectSource)) {
    // what is no object at all is refused with all other options
    const given = Object.values(NAMES).filter(name => options?.[name] !== undefined)
    if (given.length === 0) return options
    throw new ConfigError(`${given.join(', ')} can be given only where the items come from objects(...).`)
  }
  const { workerModules } = items
  if (workerModules.length === 0 || options === null) return options
  return { ...options, includeModules: [...(options.includeModules ?? []), ...workerModules] }
}

/** The pieces of a source, for a job or for the program itself. Anything else is given back as it is. */
export function sourceItems<I>(
  items: I,
  options: Pick<CallOptions, 'objChunkSize' | 'objChunkNumber' | 'objNewline' | 'signal'>,
  surroundings: ExecutorSurroundings,
  job?: Job,
): I | AsyncIterable<ObjectPiece> {
  if (!(items instanceof ObjectSource)) return items
  const defaults = cutDefaults(options)
  if (job !== undefined) surroundings.wantStorages(job, items.storages)
  const { signal } = options
  return items.pieces({
    storage: name => surroundings.storage(name, job),
    checkLocalFiles: path => checkLocalFiles(path, surroundings),
    defaults,
    signal: () => signal,
  })
}

function cutDefaults(
  options: Pick<CallOptions, 'objChunkSize' | 'objChunkNumber' | 'objNewline'>,
): CutOptions {
  const { objChunkSize: chunkSize, objChunkNumber: chunkNumber, objNewline: newline } = options
  const problems: string[] = []
  const defaults = compileCut({ chunkSize, chunkNumber, newline }, NAMES, problems)
  if (problems.length > 0) throw new ConfigError(`The options of the job are wrong: ${problems.join('; ')}.`)
  return defaults
}

async function checkLocalFiles(path: string, surroundings: ExecutorSurroundings): Promise<void> {
  const remote = (await surroundings.backends()).find(backend => !backend.capabilities.sharesFileSystem)
  if (remote === undefined) return
  throw new NotSupportedError(
    `The workers of ${remote.name} do not see the files of this machine, so '${path}' cannot be a source. Upload it to a storage first, for instance with \`lithops storage put\`, and name it there.`,
    { details: { path, backend: remote.name } },
  )
}
