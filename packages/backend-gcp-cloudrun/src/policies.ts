import type { PlatformPolicy } from '@lithops/core/driver'
import type { CloudRunSettings, Workload } from './config.ts'

export type PolicySettings = Pick<CloudRunSettings, 'serviceAccount' | 'project' | 'workload'>

/** Needed to deploy, look at and remove runtimes. From: "IAM permissions reference", and the reference of each method. */
const COMMON_PERMISSIONS = [
  'artifactregistry.packages.delete',
  'artifactregistry.packages.get',
  'artifactregistry.repositories.create',
  'artifactregistry.repositories.downloadArtifacts',
  'artifactregistry.repositories.get',
  'artifactregistry.repositories.uploadArtifacts',
  'artifactregistry.versions.delete',
  'logging.logEntries.list',
  'run.operations.get',
] as const
/** What has been made with the other workload is found and removed too. */
const REMOVAL_PERMISSIONS = {
  services: ['run.services.delete', 'run.services.list'],
  jobs: ['run.executions.cancel', 'run.executions.list', 'run.jobs.delete', 'run.jobs.list'],
} as const
const RUN_PERMISSIONS = {
  services: ['run.routes.invoke', 'run.services.create', 'run.services.get', 'run.services.update'],
  jobs: [
    'run.executions.delete',
    'run.executions.get',
    'run.jobs.create',
    'run.jobs.get',
    'run.jobs.run',
    'run.jobs.runWithOverrides',
    'run.jobs.update',
    'run.tasks.list',
  ],
} as const

/** Needed besides where the config has keys of a storage or monitor that workers need. */
const SECRETS_PERMISSIONS = [
  'secretmanager.secrets.create',
  'secretmanager.secrets.delete',
  'secretmanager.secrets.get',
  'secretmanager.secrets.getIamPolicy',
  'secretmanager.secrets.list',
  'secretmanager.secrets.setIamPolicy',
  'secretmanager.versions.access',
  'secretmanager.versions.add',
  'secretmanager.versions.destroy',
  'secretmanager.versions.list',
] as const

function roleOf(title: string, permissions: readonly string[]) {
  return { title, stage: 'GA', includedPermissions: [...permissions] }
}

/** What the user's own account must be allowed in the project, for workers of this kind. */
export function deployerRole(workload: Workload) {
  const permissions = [
    ...COMMON_PERMISSIONS,
    ...REMOVAL_PERMISSIONS.services,
    ...REMOVAL_PERMISSIONS.jobs,
    ...RUN_PERMISSIONS[workload],
  ]
  return roleOf('Lithops deployer', permissions.sort())
}

export function secretsRole() {
  return roleOf('Lithops secrets', SECRETS_PERMISSIONS)
}

export function policiesOf({
  serviceAccount,
  project = 'PROJECT',
  workload,
}: PolicySettings): readonly PlatformPolicy[] {
  return [
    {
      name: 'deployer',
      purpose:
        'for your own account: a role of the project, for `gcloud iam roles create lithopsDeployer --project PROJECT --file FILE`',
      document: deployerRole(workload),
    },
    {
      name: 'secrets',
      purpose:
        'only where the config has keys that workers need: a second role, which may read and change all secrets that it is given for',
      document: secretsRole(),
    },
    {
      name: 'act as the workers',
      purpose: 'for your own account, on the service account of the workers: a binding of its policy',
      document: {
        resource: serviceAccount ?? 'PROJECT_NUMBER-compute@developer.gserviceaccount.com',
        bindings: [{ role: 'roles/iam.serviceAccountUser', members: ['user:YOU'] }],
      },
    },
    {
      name: 'bindings',
      purpose: `gives the roles to you in the project ${project}: put your own address in the place of YOU`,
      document: {
        bindings: [
          { role: `projects/${project}/roles/lithopsDeployer`, members: ['user:YOU'] },
          { role: `projects/${project}/roles/lithopsSecrets`, members: ['user:YOU'] },
        ],
      },
    },
  ]
}
