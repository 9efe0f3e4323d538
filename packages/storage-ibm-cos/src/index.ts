import type { StorageDriver } from '@lithops/core/driver'
import { type IbmCosConfig, ibmCosSection } from './config.ts'

export { type IbmCosConfig, ibmCosSection }

/** Objects in IBM Cloud Object Storage. */
export const storage: StorageDriver<IbmCosConfig> = {
  specVersion: 1,
  name: 'ibm_cos',
  config: ibmCosSection,
  async create(config, { log }) {
    const { openIbmCos } = await import('./open-ibm-cos.ts')
    return openIbmCos(config, log)
  },
}
