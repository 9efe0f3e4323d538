/** What a driver package drives; also the name of its export. */
export type DriverKind = 'backend' | 'storage' | 'monitor'

/** Packages of this project by config name, for install hints and did-you-mean. Other names stay legal. */
export const KNOWN_DRIVERS: Readonly<Record<DriverKind, Readonly<Record<string, string>>>> = {
  backend: {
    aws_lambda: '@lithops/backend-aws-lambda',
    gcp_functions: '@lithops/backend-gcp-functions',
    gcp_cloudrun: '@lithops/backend-gcp-cloudrun',
    azure_functions: '@lithops/backend-azure',
    ibm_cf: '@lithops/backend-ibm-cf',
    code_engine: '@lithops/backend-code-engine',
    knative: '@lithops/backend-knative',
  },
  storage: {
    aws_s3: '@lithops/storage-aws-s3',
    gcp_storage: '@lithops/storage-gcp',
    azure_storage: '@lithops/storage-azure-blob',
    ibm_cos: '@lithops/storage-ibm-cos',
    minio: '@lithops/storage-minio',
    ceph: '@lithops/storage-ceph',
    redis: '@lithops/storage-redis',
  },
  monitor: { rabbitmq: '@lithops/monitor-rabbitmq' },
}

/** Those of them that nobody can install yet, and what there is in their place. */
export const NOT_YET: Readonly<Record<string, string>> = {
  gcp_functions: 'On Google Cloud there is gcp_cloudrun, which reads the same section gcp.',
  azure_functions: 'On Azure there is the storage azure_storage alone.',
  ibm_cf:
    'IBM has ended Cloud Functions; on IBM Cloud there is code_engine, which reads the same section ibm.',
}
