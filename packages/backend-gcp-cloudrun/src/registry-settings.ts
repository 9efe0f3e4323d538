import type { RegistrySettings } from '@lithops/container-runtime'
import type { CloudRunSettings } from './config.ts'

/** Where images are pushed: Artifact Registry needs the project besides. */
export function registryOf(settings: CloudRunSettings, project: string): RegistrySettings {
  const {
    dockerServer,
    dockerUser,
    dockerPassword,
    region,
    repository: artifactRegistryRepository,
  } = settings
  return { dockerServer, dockerUser, dockerPassword, project, region, artifactRegistryRepository }
}
