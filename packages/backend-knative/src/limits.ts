// Where Kubernetes and Knative have no limit of their own, what is here is no less than what a worker needs.

/**
 * Time limit of one request in seconds. The most is `max-revision-timeout-seconds` of the ConfigMap config-defaults, which is
 * so much unless the cluster's administrator has raised it. From: https://knative.dev/docs/serving/configuration/config-defaults/
 */
export const TIMEOUT_S = { least: 1, most: 600 } as const
/** Memory of a worker in MiB: Node alone takes 50. */
export const LEAST_MEMORY_MIB = 128
/** Kubernetes counts thousandths of a processor. From: "Resource units in Kubernetes". */
export const LEAST_CPU = 0.001
/** `autoscaling.knative.dev/scale-down-delay`, in seconds. From: https://knative.dev/docs/serving/autoscaling/scale-bounds/ */
export const SCALE_DOWN_DELAY_S = { least: 0, most: 3600 } as const
/** Requests at once in one container: the largest value of `containerConcurrency`. From: config-defaults, as above. */
export const MOST_CONCURRENCY = 1000
/** Processes of one worker: more than the processors of any machine of a cloud is a mistake. */
export const MOST_PROCESSES = 256
/**
 * Characters of a service's name. It is a DNS label of at most 63, and revisions and their routes add to it.
 */
export const NAME_CHARACTERS = 50
/** Bytes of a Secret. From: "Restrictions on Secret size" of the Kubernetes documentation. */
export const SECRET_BYTES = 1024 * 1024
