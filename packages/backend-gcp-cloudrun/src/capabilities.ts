import { batchCapabilities, requestCapabilities } from '@lithops/container-runtime'
import type { ComputeCapabilities } from '@lithops/core/driver'
import type { CloudRunSettings } from './config.ts'
import { REQUEST_BYTES } from './limits.ts'

/** Head of a request: path, headers, and the token among them. */
const HEAD_BYTES = 64 * 1024

/** What services, or jobs, of these settings can do. */
export function capabilitiesOf(settings: CloudRunSettings): ComputeCapabilities {
  if (settings.workload === 'jobs') return batchCapabilities(settings)
  return requestCapabilities({ ...settings, maxPayloadBytes: REQUEST_BYTES - HEAD_BYTES })
}
