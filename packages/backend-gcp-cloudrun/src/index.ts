import type { ComputeDriver } from '@lithops/core/driver'
import { type CloudRunConfig, cloudRunSection } from './config.ts'

export { type CloudRunConfig, cloudRunSection }

/** Services of Google Cloud Run. */
export const backend: ComputeDriver<CloudRunConfig> = {
  specVersion: 1,
  name: 'gcp_cloudrun',
  config: cloudRunSection,
  async create(config, context) {
    const { CloudRunBackend } = await import('./cloud-run-backend.ts')
    return CloudRunBackend.open(config, context)
  },
}
