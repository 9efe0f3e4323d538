// What the API speaks of, as far as it is used here. From: https://cloud.ibm.com/apidocs/codeengine/v2. What is optional may be
// missing from an answer.

/** Variable of a worker's environment, of its own text or from a secret. */
export interface Variable {
  readonly type: 'literal' | 'secret_key_reference'
  readonly name: string
  readonly value?: string
  /** Name of the secret, and the key in it. */
  readonly reference?: string
  readonly key?: string
}

export interface Project {
  readonly id: string
  readonly name: string
  readonly status?: string
}

/** Of jobs, applications, config maps and secrets: told with a change, so that a change of somebody else is noticed. */
export interface Tagged {
  readonly name: string
  readonly entity_tag?: string
  readonly created_at?: string
}

export interface Secret extends Tagged {
  readonly format: string
  readonly data?: Readonly<Record<string, string>>
}

export interface Job extends Tagged {
  readonly image_reference?: string
  readonly scale_cpu_limit?: string
  readonly scale_max_execution_time?: number
  readonly run_env_variables?: readonly Variable[]
}

export interface Application extends Tagged {
  readonly image_reference?: string
  readonly scale_cpu_limit?: string
  readonly scale_request_timeout?: number
  readonly scale_concurrency?: number
  readonly status?: 'deploying' | 'failed' | 'ready' | 'warning'
  readonly status_details?: {
    readonly reason?: string
    readonly latest_created_revision?: string
    readonly latest_ready_revision?: string
  }
  readonly endpoint?: string
  readonly run_env_variables?: readonly Variable[]
}

/** An index of a job run. */
export interface IndexDetails {
  readonly status?: string
  readonly started_at?: string
  readonly finished_at?: string
  /** Such as 'OOMKilled', 'ContainerExitedCode1', 'ExceededEphemeralStorage'. */
  readonly last_failure_reason?: string
}

export interface JobRun {
  readonly name: string
  readonly job_name?: string
  readonly created_at?: string
  readonly status?: 'pending' | 'running' | 'completed' | 'failed'
  readonly status_details?: {
    readonly reason?: string
    readonly pending_indices?: string
    readonly running_indices?: string
    readonly succeeded_indices?: string
    readonly failed_indices?: string
    readonly indices_details?: Readonly<Record<string, IndexDetails>>
  }
}

/** Kinds of things in a project, as paths and lists of the API name them. */
export interface Kinds {
  readonly jobs: Job
  readonly job_runs: JobRun
  readonly apps: Application
  readonly config_maps: Tagged
  readonly secrets: Secret
}

export type Kind = keyof Kinds

/** For messages. */
export const KIND_NAMES: Readonly<Record<Kind, string>> = {
  jobs: 'job',
  job_runs: 'job run',
  apps: 'application',
  config_maps: 'config map',
  secrets: 'secret',
}
