import { type LogQuery, NotSupportedError } from '@lithops/core/driver'
import type { CodeEngineClient } from './client.ts'
import { CloudLogs, hasText, type LoggedLine, phrase } from './cloud-logs.ts'
import type { ProjectApi } from './project.ts'
import { platformError } from './vendor-errors.ts'

/** A line of a worker that names the job whose calls come next. From: CloudWorker of @lithops/core/worker. */
const JOB_LINE = /lithops: calls of job (\S+)/
/** `requestIdOf` of index-ends.ts. */
const INDEX_OF_RUN = /^([a-z0-9-]+)\/(\d+)$/
/** Workers of applications are called by their pod, with a part of their own at the end. */
const WORKER_OF_APPLICATION = /^(.+)-[0-9a-f]{6}$/

export interface WorkerLogsOptions {
  readonly client: CodeEngineClient
  readonly project: ProjectApi
  /** Of an instance of IBM Cloud Logs; undefined where the config names none. */
  readonly endpoint: string | undefined
}

/**
 * What workers wrote, in IBM Cloud Logs. The API of Code Engine has no logs, and its job runs are removed at their end, with what
 * `ibmcloud ce jobrun logs` would show.
 */
export class WorkerLogs {
  readonly #options: WorkerLogsOptions

  constructor(options: WorkerLogsOptions) {
    this.#options = options
  }

  /** Throws NotSupportedError, which says where logs are, where the config names no instance of IBM Cloud Logs. */
  async find({ requestId, jobKey = '', sinceMs, signal }: LogQuery): Promise<string> {
    const { client, project, endpoint } = this.#options
    if (endpoint === undefined) throw noLogs(requestId ?? jobKey)
    const logs = new CloudLogs(client, endpoint)
    try {
      const projectId = await project.existingProjectId({ signal })
      if (projectId === undefined) return ''
      const ofProject = `app:"codeengine" AND ${hasText('codeengine.projectGuid', projectId)}`
      const read = (term: string) => logs.lines({ query: `${ofProject} AND ${term}`, sinceMs, signal })
      const lines = await (requestId === undefined ? ofJob(jobKey, read) : ofRequest(requestId, read))
      return lines.map(({ text }) => `${text}\n`).join('')
    } catch (error) {
      signal?.throwIfAborted()
      throw platformError(error, `reading logs from ${endpoint}`)
    }
  }
}

type Read = (term: string) => Promise<LoggedLine[]>

/** An instance of a job run has one activation; of an application all of its pod's, from the time of the query on. */
async function ofRequest(requestId: string, read: Read): Promise<LoggedLine[]> {
  const [, run, index] = INDEX_OF_RUN.exec(requestId) ?? []
  if (run !== undefined) {
    const lines = await read(hasText('codeengine.subcomponent', run))
    // the last part counts the platform's own retries, of which there are none here
    return lines.filter(({ instance }) => instance.replace(/-\d+$/, '') === `${run}-${index}`)
  }
  const [, pod] = WORKER_OF_APPLICATION.exec(requestId) ?? []
  return pod === undefined ? [] : read(hasText('codeengine.instanceId', pod))
}

/** Workers name the job before its calls: from each such line to the one that names another. */
async function ofJob(jobKey: string, read: Read): Promise<LoggedLine[]> {
  const named = await read(phrase(`calls of job ${jobKey}`))
  const places = [...new Set(named.map(({ subcomponent }) => subcomponent))]
  const all = await Promise.all(places.map(place => read(hasText('codeengine.subcomponent', place))))
  const isOfJob = new Map<string, boolean>()
  return all
    .flat()
    .sort((a, b) => a.atMs - b.atMs)
    .filter(({ instance, text }) => {
      const begun = JOB_LINE.exec(text)?.[1]
      if (begun !== undefined) isOfJob.set(instance, begun === jobKey)
      return isOfJob.get(instance) === true
    })
}

function noLogs(id: string): NotSupportedError {
  return new NotSupportedError(
    `The log of ${id} cannot be read: the API of Code Engine has no logs. What functions write comes with their results (future.logs). ` +
      'What else workers write is in IBM Cloud Logs, where an instance of it gets the platform logs of the region: name its endpoint, ' +
      'https://<instance id>.api.<region>.logs.cloud.ibm.com, with code_engine.logs_endpoint, or look there for app:"codeengine". ' +
      'While a job runs, `ibmcloud ce jobrun logs --name RUN` shows it as well (the run is the part of future.stats.requestId before the /).',
  )
}
