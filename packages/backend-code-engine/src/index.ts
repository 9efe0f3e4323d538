import type { ComputeDriver } from '@lithops/core/driver'
import { type CodeEngineConfig, codeEngineSection } from './config.ts'

export { type CodeEngineConfig, codeEngineSection }

/** Jobs, or applications, of IBM Code Engine. */
export const backend: ComputeDriver<CodeEngineConfig> = {
  specVersion: 1,
  name: 'code_engine',
  config: codeEngineSection,
  async create(config, context) {
    const { CodeEngineBackend } = await import('./code-engine-backend.ts')
    return CodeEngineBackend.open(config, context)
  },
}
