import type { ComputeDriver } from '@lithops/core/driver'
import { type KnativeConfig, knativeSection } from './config.ts'

export { type KnativeConfig, knativeSection }

/** Services of Knative Serving, on any Kubernetes cluster. */
export const backend: ComputeDriver<KnativeConfig> = {
  specVersion: 1,
  name: 'knative',
  config: knativeSection,
  async create(config, context) {
    const { KnativeBackend } = await import('./knative-backend.ts')
    return KnativeBackend.open(config, context)
  },
}
