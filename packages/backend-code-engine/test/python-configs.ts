/** A config as somebody has it who has followed the pages of Lithops (Python) for a backend or a storage. */
export interface PythonConfig {
  readonly name: string
  /** Placeholders are filled in; `KEY_FILE` and `KUBECONFIG` are files of the test. */
  readonly yaml: string
  /** Driver that it chooses. */
  readonly driver: string
  /** What must have arrived: keys of its section. */
  readonly section: Readonly<Record<string, unknown>>
  /** What the program is told on standard error. Default: nothing. */
  readonly warnings?: readonly RegExp[]
}

const ROLE = 'arn:aws:iam::123456789012:role/lambdaLithopsExecutionRole'

/** From: docs/source/compute_config/*.md and config/config_template.yaml of Lithops 3.7. */
export const COMPUTE_CONFIGS: readonly PythonConfig[] = [
  {
    name: 'AWS Lambda with keys of the environment or a profile',
    yaml: `
lithops:
    backend: aws_lambda

aws_lambda:
    execution_role: ${ROLE}
    region: us-east-1
`,
    driver: 'aws_lambda',
    section: { execution_role: ROLE, region: 'us-east-1', runtime_memory: 256, runtime_timeout: 180 },
  },
  {
    name: 'AWS Lambda with keys in the section aws',
    yaml: `
lithops:
    backend: aws_lambda

aws:
    access_key_id: AKIAEXAMPLE
    secret_access_key: example-secret
    region: us-east-1
    account_id: "123456789012"

aws_lambda:
    execution_role: ${ROLE}
`,
    driver: 'aws_lambda',
    section: { access_key_id: 'AKIAEXAMPLE', region: 'us-east-1', account_id: '123456789012' },
  },
  {
    name: 'AWS Lambda in a network, with file systems',
    yaml: `
lithops:
    backend: aws_lambda

aws_lambda:
    execution_role: ${ROLE}
    region: us-east-1
    vpc:
        subnets:
            - subnet-1
            - subnet-2
        security_groups:
            - sg-1
    efs:
        - access_point: arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-1
          mount_path: /mnt/data
`,
    driver: 'aws_lambda',
    section: { vpc: { subnets: ['subnet-1', 'subnet-2'], security_groups: ['sg-1'] } },
  },
  {
    name: 'AWS Lambda with every key of the template',
    yaml: `
lithops:
    backend: aws_lambda

aws:
    region: us-east-1

aws_lambda:
    execution_role: ${ROLE}
    region: us-east-1
    runtime: my-runtime:1
    runtime_memory: 256
    runtime_timeout: 180
    max_workers: 1000
    worker_processes: 1
    invoke_pool_threads: 64
    architecture: x86_64
    ephemeral_storage: 512
    remote_invoker: False
    runtime_include_function: False
    namespace: dev
    env_vars: {}
    user_tags: {}
    vpc:
        subnets: []
        security_groups: []
    efs: []
`,
    driver: 'aws_lambda',
    section: { runtime: 'my-runtime:1', namespace: 'dev', runtime_include_function: false },
  },
  {
    name: 'AWS Lambda with lists of names and values, and processes',
    yaml: `
lithops:
    backend: aws_lambda

aws_lambda:
    execution_role: ${ROLE}
    region: us-east-1
    worker_processes: 4
    env_vars:
        - name: STAGE
          value: dev
    user_tags:
        - name: team
          value: science
`,
    driver: 'aws_lambda',
    section: { env_vars: [{ name: 'STAGE', value: 'dev' }] },
    warnings: [/aws_lambda\.worker_processes has no meaning here.*chunksize/],
  },
  {
    name: 'Google Cloud Run',
    yaml: `
lithops:
    backend: gcp_cloudrun

gcp:
    region : us-east1
    credentials_path : KEY_FILE
`,
    driver: 'gcp_cloudrun',
    section: { region: 'us-east1', docker_server: 'pkg.dev' },
  },
  {
    name: 'Google Cloud Run with every key of the template',
    yaml: `
lithops:
    backend: gcp_cloudrun

gcp:
    project_name: lithops-dev
    region: us-east1
    credentials_path: KEY_FILE

gcp_cloudrun:
    region: us-east1
    runtime: my-runtime:1
    runtime_memory: 256
    runtime_cpu: 0.25
    runtime_timeout: 300
    trigger: https
    min_workers: 0
    max_workers: 100
    worker_processes: 1
    invoke_pool_threads: 100
    docker_server: pkg.dev
    artifact_registry_repository: lithops
    runtime_include_function: False
`,
    driver: 'gcp_cloudrun',
    section: { project_name: 'lithops-dev', runtime_cpu: 0.25, artifact_registry_repository: 'lithops' },
  },
  {
    name: 'Code Engine',
    yaml: `
lithops:
    backend: code_engine

ibm:
    iam_api_key: example-key
    region: eu-de
    resource_group_id: example-group
`,
    driver: 'code_engine',
    section: { iam_api_key: 'example-key', region: 'eu-de', resource_group_id: 'example-group' },
  },
  {
    name: 'Code Engine with images on Docker Hub',
    yaml: `
lithops:
    backend: code_engine

ibm:
    iam_api_key: example-key
    region: eu-de
    resource_group_id: example-group

code_engine:
    docker_server    : docker.io
    docker_user      : somebody
    docker_password  : example-token
`,
    driver: 'code_engine',
    section: { docker_server: 'docker.io', docker_user: 'somebody', docker_password: 'example-token' },
  },
  {
    name: 'Code Engine with images in the registry of IBM Cloud',
    yaml: `
lithops:
    backend: code_engine

ibm:
    iam_api_key: example-key
    region: us-south
    resource_group_id: example-group

code_engine:
    docker_server    : us.icr.io
    docker_user      : iamapikey
    docker_password  : example-key
    docker_namespace : my-namespace
`,
    driver: 'code_engine',
    section: { docker_server: 'us.icr.io', docker_namespace: 'my-namespace' },
  },
  {
    name: 'Code Engine with every key of the template, and processes',
    yaml: `
lithops:
    backend: code_engine
    storage: ibm_cos

ibm:
    iam_api_key: example-key
    region: eu-de
    resource_group_id: example-group

code_engine:
    region: eu-de
    project_name: my-project
    docker_server: docker.io
    docker_user: somebody
    docker_password: example-token
    docker_namespace: my-namespace
    runtime: my-runtime:1
    runtime_cpu: 0.125
    runtime_memory: 256
    runtime_timeout: 600
    max_workers: 1000
    worker_processes: 2
    connection_retries: 5

ibm_cos:
    storage_bucket: my-bucket
`,
    driver: 'code_engine',
    section: { project_name: 'my-project', runtime_cpu: 0.125, connection_retries: 5 },
    warnings: [/code_engine\.worker_processes is 2.*chunksize.*applications/],
  },
  {
    name: 'Knative',
    yaml: `
lithops:
    backend: knative
`,
    driver: 'knative',
    section: { docker_server: 'docker.io', runtime_memory: 512, runtime_timeout: 600 },
  },
  {
    name: 'Knative on minikube, with images on Docker Hub',
    yaml: `
lithops:
    backend: knative

knative:
    ingress_endpoint : http://127.0.0.1:80
    docker_server    : docker.io
    docker_user      : somebody
    docker_password  : example-token
`,
    driver: 'knative',
    section: { ingress_endpoint: 'http://127.0.0.1:80', docker_user: 'somebody' },
  },
  {
    name: 'Knative with images in the registry of IBM Cloud',
    yaml: `
lithops:
    backend: knative

knative:
    docker_server    : us.icr.io
    docker_user      : iamapikey
    docker_password  : example-key
    docker_namespace : my-namespace
`,
    driver: 'knative',
    section: { docker_server: 'us.icr.io', docker_namespace: 'my-namespace' },
  },
  {
    name: 'Knative with every key of the template',
    yaml: `
lithops:
    backend: knative

knative:
    kubecfg_path: KUBECONFIG
    networking_layer: kourier
    ingress_endpoint: http://127.0.0.1:80
    docker_server: docker.io
    docker_user: somebody
    docker_password: example-token
    docker_namespace: my-namespace
    git_url: https://example.com/team/repository.git
    git_rev: main
    runtime: my-runtime:1
    runtime_cpu: 1
    runtime_memory: 512
    runtime_timeout: 600
    max_workers: 100
    worker_processes: 1
    invoke_pool_threads: 100
`,
    driver: 'knative',
    section: { networking_layer: 'kourier', runtime: 'my-runtime:1', runtime_cpu: 1 },
    warnings: [/knative\.git_url has no meaning here.*lithops runtime build/, /knative\.git_rev/],
  },
]

/** From: docs/source/storage_config/*.md and the template. */
export const STORAGE_CONFIGS: readonly (PythonConfig & {
  readonly bucket: RegExp
  /** Its bucket is called after who has the keys: STS is asked. */
  readonly asksSts?: true
})[] = [
  {
    name: 'AWS S3 with keys of the environment or a profile',
    yaml: `
lithops:
    storage: aws_s3

aws:
    region: us-east-1
`,
    driver: 'aws_s3',
    section: { region: 'us-east-1' },
    bucket: /^lithops-us-east-1-/,
    asksSts: true,
  },
  {
    name: 'AWS S3 with keys in the section aws',
    yaml: `
lithops:
    storage: aws_s3

aws:
    access_key_id: AKIAEXAMPLE
    secret_access_key: example-secret
    region: us-east-1
    account_id: "123456789012"

aws_s3:
    storage_bucket: my-bucket
`,
    driver: 'aws_s3',
    section: { access_key_id: 'AKIAEXAMPLE', region: 'us-east-1', storage_bucket: 'my-bucket' },
    bucket: /^my-bucket$/,
  },
  {
    name: 'MinIO',
    yaml: `
lithops:
    storage: minio

minio:
    endpoint: http://127.0.0.1:9000
    access_key_id: example-access
    secret_access_key: example-secret
`,
    driver: 'minio',
    section: { endpoint: 'http://127.0.0.1:9000', access_key_id: 'example-access' },
    bucket: /^lithops-[0-9a-f]{6}-exampl$/,
  },
  {
    name: 'Ceph',
    yaml: `
lithops:
    storage: ceph

ceph:
    endpoint: https://ceph.example.com
    access_key_id: example-access
    secret_access_key: example-secret
    region: eu-west-1
`,
    driver: 'ceph',
    section: { endpoint: 'https://ceph.example.com', region: 'eu-west-1' },
    bucket: /^lithops-[0-9a-f]{6}-exampl$/,
  },
  {
    name: 'IBM COS with an API key of its own',
    yaml: `
lithops:
    storage: ibm_cos

ibm_cos:
    region   : eu-de
    api_key  : example-key
    storage_bucket: my-bucket
`,
    driver: 'ibm_cos',
    section: { region: 'eu-de', api_key: 'example-key' },
    bucket: /^my-bucket$/,
  },
  {
    name: 'IBM COS with HMAC credentials',
    yaml: `
lithops:
    storage: ibm_cos

ibm_cos:
    region: eu-de
    access_key_id: example-access
    secret_access_key: example-secret
`,
    driver: 'ibm_cos',
    section: { access_key_id: 'example-access' },
    bucket: /^lithops-eu-de-exampl$/,
  },
  {
    name: 'IBM COS with the API key of the account',
    yaml: `
lithops:
    storage: ibm_cos

ibm:
    iam_api_key: example-key
    region: eu-de
    resource_group_id: example-group

ibm_cos:
    region: eu-de
    storage_bucket: my-bucket
`,
    driver: 'ibm_cos',
    section: { iam_api_key: 'example-key' },
    bucket: /^my-bucket$/,
  },
  {
    name: 'IBM COS by its endpoints',
    yaml: `
lithops:
    storage: ibm_cos

ibm_cos:
    endpoint: https://s3.eu-de.cloud-object-storage.appdomain.cloud
    private_endpoint: https://s3.direct.eu-de.cloud-object-storage.appdomain.cloud
    api_key: example-key
    service_instance_id: "crn:v1:bluemix:public:cloud-object-storage:global:a/1::"
    storage_bucket: my-bucket
`,
    driver: 'ibm_cos',
    section: { private_endpoint: 'https://s3.direct.eu-de.cloud-object-storage.appdomain.cloud' },
    bucket: /^my-bucket$/,
  },
  {
    name: 'Google Cloud Storage',
    yaml: `
lithops:
    storage: gcp_storage

gcp:
    region : us-east1
    credentials_path : KEY_FILE
`,
    driver: 'gcp_storage',
    section: { region: 'us-east1' },
    bucket: /^lithops-us-east1-/,
  },
  {
    name: 'Azure Blob Storage',
    yaml: `
lithops:
    storage : azure_storage

azure:
    resource_group: LithopsResourceGroup
    region: westeurope
    subscription_id: example-subscription

azure_storage:
    storage_account_name: lithops0sa25s1
    storage_account_key: ZXhhbXBsZS1rZXk=
`,
    driver: 'azure_storage',
    section: { storage_account_name: 'lithops0sa25s1' },
    bucket: /^lithops-/,
  },
  {
    name: 'Redis',
    yaml: `
lithops:
    storage: redis

redis:
    host : 127.0.0.1
    port : 6379
    password: example-password
`,
    driver: 'redis',
    section: { host: '127.0.0.1', port: 6379 },
    bucket: /^storage$/,
  },
  {
    name: 'Redis with every key of the template, and what goes to redis-py',
    yaml: `
lithops:
    storage: redis

redis:
    host: 127.0.0.1
    port: 6379
    username: somebody
    password: example-password
    db: 0
    ssl: False
    decode_responses: False
    socket_timeout: 5
`,
    driver: 'redis',
    section: { username: 'somebody', db: 0, ssl: false },
    bucket: /^storage$/,
    warnings: [/redis\.socket_timeout has no meaning here/],
  },
]

/** From: docs/source/monitoring.rst, configuration.rst and localhost.md. */
export const OTHER_CONFIGS: readonly Pick<PythonConfig, 'name' | 'yaml' | 'warnings'>[] = [
  {
    name: 'this machine',
    yaml: `
lithops:
    backend: localhost
    storage: localhost
`,
  },
  {
    name: 'this machine with every key of the template',
    yaml: `
lithops:
    backend: localhost
    storage: localhost
    data_cleaner: True
    monitoring: storage
    monitoring_interval: 2
    data_limit: 4
    execution_timeout: 1800
    include_modules: []
    exclude_modules: []
    chunksize: 1
    log_level: WARNING
    log_format: "%(asctime)s [%(levelname)s] %(name)s -- %(message)s"
    log_stream: ext://sys.stderr
    telemetry: False

localhost:
    runtime: python3
    worker_processes: 2
    version: 2
`,
  },
  {
    name: 'this machine with what is done otherwise here',
    yaml: `
lithops:
    backend: localhost
    storage: localhost
    data_cleaner: False
    log_stream: ext://sys.stdout
    log_filename: lithops.log
    telemetry: True

localhost:
    runtime: docker.io/lithopscloud/ibmcf-python-v312

prometheus:
    apigateway: http://127.0.0.1:9091
`,
    warnings: [
      /lithops\.data_cleaner has no meaning here.*durable/,
      /lithops\.log_stream .*standard error/,
      /lithops\.log_filename .*redirect/,
      /lithops\.telemetry .*fexec\.usageOf/,
      /localhost runs no container images/,
    ],
  },
]
