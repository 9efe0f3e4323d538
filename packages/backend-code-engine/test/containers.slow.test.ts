import { containerCases } from './container-cases.ts'

// Jobs and applications as containers of podman.

containerCases({ bucket: 'containers' })
