import type { PlatformPolicy } from '@lithops/core/driver'
import type { CloudRunSettings } from './config.ts'

export type PolicySettings = Pick<CloudRunSettings, 'serviceAccount' | 'project'>

/** Needed to deploy, run, look at and remove runtimes. From: "IAM permissions reference", and the reference of each method. */
const DEPLOYER_PERMISSIONS = [
  'artifactregistry.packages.delete',
  'artifactregistry.packages.get',
  'artifactregistry.repositories.create',
  'artifactregistry.repositories.downloadArtifacts',
  'artifactregistry.repositories.get',
  'artifactregistry.repositories.uploadArtifacts',
  'logging.logEntries.list',
  'run.operations.get',
  'run.routes.invoke',
  'run.services.create',
  'run.services.delete',
  'run.services.get',
  'run.services.list',
  'run.services.update',
] as const

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
] as const

function roleOf(title: string, permissions: readonly string[]) {
  return { title, stage: 'GA', includedPermissions: [...permissions] }
}

/** What the user's own account must be allowed in the project. */
export function deployerRole() {
  return roleOf('Lithops deployer', DEPLOYER_PERMISSIONS)
}

export function secretsRole() {
  return roleOf('Lithops secrets', SECRETS_PERMISSIONS)
}

export function policiesOf({
  serviceAccount,
  project = 'PROJECT',
}: PolicySettings): readonly PlatformPolicy[] {
  return [
    {
      name: 'deployer',
      purpose:
        'for your own account: a role of the project, for `gcloud iam roles create lithopsDeployer --project PROJECT --file FILE`',
      document: deployerRole(),
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
