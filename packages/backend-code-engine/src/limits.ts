// From: "Limits and quotas for Code Engine", https://cloud.ibm.com/docs/codeengine?topic=codeengine-limits, where nothing else is
// said; looked up in November 2026.

/** Indices of one job run. */
export const RUN_INDICES = 1_000
/** A job, and a job run, may take so many bytes; what is more goes through a config map. */
export const RUN_BYTES = 10 * 1024
/** Of the array of a job run, in the text that names its indices; leaves the rest of RUN_BYTES to its other parts. */
export const ARRAY_SPEC_CHARACTERS = 6_000
/** The largest index. From: "scale_array_spec" of the API reference. */
export const LARGEST_INDEX = 9_999_999
/** A value of a config map or a secret. From: the API reference of both; etcd below it takes no more for the whole object. */
export const VALUE_CHARACTERS = 1_048_576
/** Job runs that a project keeps, also those that have ended. */
export const KEPT_RUNS = 100
/** Kept job runs from which on old ones are removed: other programs may begin some at the same time. */
export const CROWDED_RUNS = 80
/** Config maps of a project. */
export const CONFIG_MAPS = 100
/** Instances that run at once in a project; what is more waits. */
export const ACTIVE_INSTANCES = 250
/** Time limit of a job's instance, in seconds. */
export const JOB_TIMEOUT_S = { least: 1, most: 86_400 } as const
/** Time limit of a request to an application, in seconds. */
export const APPLICATION_TIMEOUT_S = 600
/** Requests at once in one instance of an application. From: "scale_concurrency" of the API reference. */
export const MOST_CONCURRENCY = 1_000
/** Seconds. From: "scale_down_delay" of the API reference. */
export const SCALE_DOWN_DELAY_S = { least: 0, most: 3_600 } as const
/** Processes of one worker: more than the largest instance has processors is a mistake. */
export const MOST_PROCESSES = 48
/** Names of jobs, runs, applications, config maps and secrets are DNS labels of at most 63; parts of the platform add to them. */
export const NAME_CHARACTERS = 53

/** Where Code Engine is. From: "Regions" of its documentation. */
export const REGIONS = [
  'au-syd',
  'br-sao',
  'ca-tor',
  'eu-de',
  'eu-es',
  'eu-gb',
  'in-che',
  'jp-osa',
  'jp-tok',
  'us-east',
  'us-south',
] as const
