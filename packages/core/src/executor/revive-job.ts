import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ClassTable } from '../codec/class-table.ts'
import { nativeImport } from '../driver/native-import.ts'
import type { CapturedFunction } from '../function/captured-function.ts'
import { Job } from '../job/job.ts'
import { instantiateFunction, type ModuleFactory } from '../worker/instantiate.ts'
import { type JobRecord, optionsOfRecord, type RecordedFunction } from './job-record.ts'

/**
 * Makes a job of its record. Values of classes that travelled with the function can only be read with those classes, so
 * its module is loaded in this program, as a worker loads it.
 */
export async function reviveJob(
  record: JobRecord,
  { code, env, extraArgs }: RecordedFunction,
  directory: string,
): Promise<Job> {
  const { name, hash, isNative, externalPackages } = record.function
  const file = join(directory, `${hash}.mjs`)
  await writeFile(file, code)
  const fn: CapturedFunction = {
    name,
    isNative,
    env,
    envHash: '',
    classes: await classesOf(file, env),
    warnings: [],
    bundle: async () => ({ hash, file, sizeBytes: code.length, externalPackages, read: async () => code }),
    mapStack: stack => stack,
  }
  const job = new Job(
    record.executorId,
    record.jobId,
    fn,
    record.runtime,
    optionsOfRecord(record),
    extraArgs.length === 0 ? undefined : extraArgs,
  )
  job.isComplete = true
  return job
}

const NO_CLASSES: ClassTable = { idOf: () => undefined, prototypeOf: () => undefined }

async function classesOf(file: string, env: Uint8Array): Promise<ClassTable> {
  try {
    const { default: factory } = (await nativeImport(pathToFileURL(file).href)) as { default: ModuleFactory }
    return instantiateFunction(factory, env).classes
  } catch {
    // what the module needs is not here, a native package for instance: plain values are read all the same, and an
    // instance says that its class is not known
    return NO_CLASSES
  }
}
