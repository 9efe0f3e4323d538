import type { PlatformPolicy } from '@lithops/core/driver'
import type { CodeEngineSettings } from './config.ts'

// From: "Managing IAM access for Code Engine", https://cloud.ibm.com/docs/codeengine?topic=codeengine-iam, "IAM actions" of IBM Cloud
// Logs, and "Policy" of the IAM Policy Management API.

const SERVICE_ROLE = 'crn:v1:bluemix:public:iam::::serviceRole:'
const PLATFORM_ROLE = 'crn:v1:bluemix:public:iam::::role:'
const SERVICE = 'codeengine'

export type PolicySettings = Pick<CodeEngineSettings, 'region' | 'projectId' | 'resourceGroupId'> &
  Partial<Pick<CodeEngineSettings, 'logsEndpoint'>>

function policy(roles: readonly string[], attributes: Readonly<Record<string, string>>) {
  return {
    type: 'access',
    subjects: [{ attributes: [{ name: 'iam_id', value: 'YOUR_IAM_ID' }] }],
    roles: roles.map(role_id => ({ role_id })),
    resources: [
      {
        attributes: [
          { name: 'accountId', value: 'YOUR_ACCOUNT_ID' },
          ...Object.entries(attributes).map(([name, value]) => ({ name, value })),
        ],
      },
    ],
  }
}

/** Service and platform roles that the owner of the API key needs. */
export function policiesOf({
  region,
  projectId,
  resourceGroupId,
  logsEndpoint,
}: PolicySettings): readonly PlatformPolicy[] {
  const inProject: Record<string, string> = {
    serviceName: SERVICE,
    region,
    ...(projectId === undefined ? {} : { serviceInstance: projectId }),
  }
  return [
    {
      name: 'deployer',
      purpose:
        'for the owner of the API key: Writer, to deploy, run, look at and remove runtimes, and Viewer, to find the project by its name',
      document: policy([`${SERVICE_ROLE}Writer`, `${PLATFORM_ROLE}Viewer`], inProject),
    },
    ...(projectId === undefined
      ? [
          {
            name: 'project maker',
            purpose: 'only where the project is not there yet: Editor, to make it',
            document: policy([`${PLATFORM_ROLE}Editor`], { serviceName: SERVICE, region }),
          },
          {
            name: 'resource group',
            purpose: 'only where the project is not there yet: Viewer of its resource group',
            document: policy([`${PLATFORM_ROLE}Viewer`], {
              resourceType: 'resource-group',
              resource: resourceGroupId ?? 'YOUR_RESOURCE_GROUP_ID',
            }),
          },
        ]
      : []),
    ...(logsEndpoint === undefined
      ? []
      : [
          {
            name: 'log reader',
            purpose: 'for `lithops logs`: Reader of the instance of IBM Cloud Logs, to query its lines',
            document: policy([`${SERVICE_ROLE}Reader`], {
              serviceName: 'logs',
              serviceInstance: /^https?:\/\/([^.]+)\./.exec(logsEndpoint)?.[1] ?? 'YOUR_LOGS_INSTANCE_ID',
            }),
          },
        ]),
  ]
}
