import { pause, RuntimeDeployError } from '@lithops/core/driver'
import type { CallOptions } from './google-requests.ts'
import type { WorkerLogs } from './logs.ts'
import { shortName } from './names.ts'
import type { ResourceApi, RunResource, RunService } from './resource-api.ts'
import { adviceForQuota, quotaIn } from './vendor-errors.ts'

/** An image may be large, and the platform tries a container for four minutes. */
const READY_MS = 15 * 60 * 1000
const FIRST_LOOK_MS = 250
const MOST_LOOK_MS = 2_000
/** Reasons that the platform itself calls passing. From: `Condition.CommonReason` of the API. */
const PASSING = new Set(['IMMEDIATE_RETRY', 'POSTPONED_RETRY', 'INTERNAL'])

/**
 * Waits until a service, or a job, is as it was asked to be last.
 *
 * @throws RuntimeDeployError with the reason and message of the platform when it cannot become so
 */
export async function waitUntilReady<Resource extends RunResource>(
  api: ResourceApi<Resource>,
  name: string,
  { signal, logs }: CallOptions & { readonly logs: WorkerLogs },
): Promise<Resource> {
  const endMs = performance.now() + READY_MS
  for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(MOST_LOOK_MS, lookMs * 1.4)) {
    const found = await api.find(name, { signal })
    if (found === undefined)
      throw new RuntimeDeployError(`The ${api.noun} ${name} was removed while it was being deployed.`, {
        isRetryable: true,
        details: { serviceName: name },
      })
    const { reconciling, terminalCondition } = found
    if (reconciling !== true && terminalCondition?.state === 'CONDITION_SUCCEEDED' && api.isInPlace(found))
      return found
    if (reconciling !== true && terminalCondition?.state === 'CONDITION_FAILED')
      throw await notReady(api.noun, found, { logs, signal })
    if (performance.now() > endMs) throw await notReady(api.noun, found, { logs, signal })
    await pause(lookMs, signal)
  }
}

/** Why a service, or a job, is not ready, in the platform's words, with what its container wrote last. */
export async function notReady(
  noun: 'service' | 'job',
  resource: RunResource & Pick<RunService, 'latestCreatedRevision'>,
  { logs, signal }: CallOptions & { readonly logs: WorkerLogs },
): Promise<RuntimeDeployError> {
  const name = shortName(resource.name)
  const { message, reason, revisionReason } = resource.terminalCondition ?? {}
  const said = message ?? 'the platform says nothing'
  const code = String(revisionReason ?? reason ?? 'no reason').replace(
    /^(COMMON|REVISION)_REASON_UNDEFINED$/,
    '',
  )
  const quota = quotaIn({ message: said, info: {} })
  const wrote = /HEALTH_CHECK|PROGRESS|failed to start|not listen/i.test(`${code} ${said}`)
    ? await logs.last(shortName(resource.latestCreatedRevision), signal)
    : ''
  return new RuntimeDeployError(
    `The ${noun} ${name} did not become ready: ${code === '' ? '' : `${code}: `}${said.replace(/\.$/, '')}.${adviceFor(code, said)}${
      quota === undefined ? '' : adviceForQuota(quota)
    }${wrote === '' ? '' : ` Its container wrote:\n${wrote}`}`,
    {
      isRetryable: PASSING.has(code),
      details: {
        serviceName: name,
        revision: shortName(resource.latestCreatedRevision),
        reason: code,
        ...(quota === undefined ? {} : { quota: quota.quota, limited: quota.limited }),
      },
    },
  )
}

/** What to do about a reason of the platform. */
export function adviceFor(reason: string, message: string): string {
  if (reason === 'CONTAINER_MISSING' || /image .* not found/i.test(message))
    return ' The image is not in the registry.'
  if (reason === 'CONTAINER_PERMISSION_DENIED' || /permission .*artifactregistry|may not pull/i.test(message))
    return ' Cloud Run may not pull the image: its service agent, service-PROJECT_NUMBER@serverless-robot-prod.iam.gserviceaccount.com, needs the role roles/artifactregistry.reader on the repository.'
  if (/SECRET/.test(reason) || /secret/i.test(message))
    return ' The service account of the workers needs the role roles/secretmanager.secretAccessor.'
  return ''
}
