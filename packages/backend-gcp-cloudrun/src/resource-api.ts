import type { protos } from '@google-cloud/run'
import type { CallOptions } from './google-requests.ts'

/** A service, as version 2 of the API has it. */
export type RunService = protos.google.cloud.run.v2.IService
/** A job, as version 2 of the API has it. */
export type RunJob = protos.google.cloud.run.v2.IJob

/** What services and jobs have alike. */
export type RunResource = Pick<
  RunService & RunJob,
  | 'name'
  | 'etag'
  | 'labels'
  | 'annotations'
  | 'createTime'
  | 'deleteTime'
  | 'reconciling'
  | 'terminalCondition'
>

/** The calls of the API that make, change and remove services, or jobs. */
export interface ResourceApi<Resource extends RunResource> {
  /** For people. */
  readonly noun: 'service' | 'job'
  /** Undefined when there is none of that name. */
  find(name: string, options?: CallOptions): Promise<Resource | undefined>
  /** Of the whole region and project. */
  list(options?: CallOptions): Promise<readonly Resource[]>
  /** Resolves when the platform has done it, or rejects with why it cannot. Refused with ALREADY_EXISTS where there is one, as also when it was asked again. */
  create(name: string, resource: Resource, options?: CallOptions): Promise<void>
  /** With the `etag` that was read: refused with ABORTED or FAILED_PRECONDITION when somebody was faster. */
  update(resource: Resource, options?: CallOptions): Promise<void>
  /** Resolves when it is gone. One that is not there is no error. */
  remove(name: string, options?: CallOptions): Promise<void>
  /** That its workers are made of; undefined where it names none. */
  imageOf(resource: Resource): string | undefined
  /** Whether what is asked of it is so, as far as `terminalCondition` does not tell. */
  isInPlace(resource: Resource): boolean
}
