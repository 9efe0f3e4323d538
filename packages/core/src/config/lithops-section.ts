import { defineConfigSection, field } from './section.ts'

const PYTHON_LOG_FORMAT = '%(asctime)s [%(levelname)s] %(name)s -- %(message)s'
const always = () => true
const isTrue = (value: unknown) => value === true || /^(true|yes|on|1)$/i.test(String(value))

/** The section `lithops`. From: lithops/config.py and docs/source/configuration.rst of Lithops (Python). */
export const lithopsSection = defineConfigSection({
  name: 'lithops',
  fields: {
    backend: field.names({
      env: 'LITHOPS_BACKEND',
      doc: 'Compute backend: localhost, aws_lambda, … or the name of a package of your own. A list spreads jobs over several.',
    }),
    storage: field.string({
      env: 'LITHOPS_STORAGE',
      doc: "Storage: localhost, aws_s3, … or 'storageless'.",
    }),
    mode: field.choice(['localhost', 'serverless', 'standalone'], {
      env: 'LITHOPS_MODE',
      doc: 'Kind of backend; follows from the backend when it is not given.',
    }),
    monitoring: field.string({
      env: 'LITHOPS_MONITORING',
      doc: 'Way home of results: direct, storage, rabbitmq. Default: direct where the backend answers with results, storage where it does not.',
    }),
    rabbitmq_monitor: field.boolean({ doc: 'true is another way to say monitoring: rabbitmq.' }),
    monitoring_interval: field.number({
      min: 0,
      doc: 'Longest pause between two looks of the storage monitor, in seconds.',
    }),
    execution_timeout: field.number({
      min: 0.001,
      default: 1800,
      env: 'LITHOPS_EXECUTION_TIMEOUT',
      doc: 'Time limit of one call in seconds.',
    }),
    chunksize: field.integer({
      min: 1,
      doc: 'Calls per activation. Default: by the measured time of the calls on localhost, else 1.',
    }),
    retries: field.integer({
      min: 0,
      default: 0,
      env: 'LITHOPS_RETRIES',
      doc: 'How often a call is run again after an error of the function.',
    }),
    include_modules: field.list({ doc: 'Modules to bundle though nothing imports them literally.' }),
    exclude_modules: field.list({ doc: 'Modules to leave out of bundles because the runtime has them.' }),
    log_level: field.choice(
      [
        'DEBUG',
        'INFO',
        'WARNING',
        'WARN',
        'ERROR',
        'CRITICAL',
        'debug',
        'info',
        'warning',
        'warn',
        'error',
        'critical',
      ],
      {
        default: 'INFO',
        env: 'LITHOPS_LOG_LEVEL',
        doc: 'What the program is told about on standard error.',
      },
    ),
    log_format: field.ignored('log lines have one format', {
      matters: format => format !== PYTHON_LOG_FORMAT,
    }),
    log_stream: field.ignored('log lines go to standard error', {
      matters: stream => stream !== 'ext://sys.stderr',
    }),
    log_filename: field.ignored('log lines go to standard error: redirect that into the file', {
      matters: always,
    }),
    data_limit: field.ignored('large data is passed by way of storage by itself'),
    data_cleaner: field.ignored(
      'what jobs leave is always removed; a durable job (`durable: true`) keeps its results until they are removed',
      { matters: value => !isTrue(value) },
    ),
    telemetry: field.ignored(
      'nothing is pushed to Prometheus: `future.stats` and `fexec.usageOf(futures)` have the figures',
      { matters: isTrue },
    ),
    customized_runtime: field.boolean({ doc: 'The same as in the section serverless.' }),
    storage_bucket: field.ignored('name the bucket in the section of the storage', { matters: always }),
    workers: field.ignored('set worker_processes or max_workers in the section of the backend', {
      matters: always,
    }),
    function_cache: field.ignored('functions are always kept by content'),
    localhost_worker: field.ignored('see section localhost'),
  },
})

/** The section `localhost`: compute and storage on this machine. */
export const localhostSection = defineConfigSection({
  name: 'localhost',
  fields: {
    worker_processes: field.integer({
      min: 1,
      env: 'LITHOPS_WORKER_PROCESSES',
      doc: 'Worker processes. Default: one per core.',
    }),
    isolation: field.choice(['worker', 'call'], {
      default: 'worker',
      doc: "'call' gives every call a fresh process.",
    }),
    runtime: field.string({
      doc: 'Node binary that runs the workers; the name of a Python interpreter is left alone. Default: the one that runs the program.',
    }),
    runtime_memory: field.integer({
      min: 16,
      doc: 'Memory of a worker in MiB: its heap, on Linux its buffers too. Default: Node’s own heap limit.',
    }),
    storage_bucket: field.string({
      default: 'storage',
      doc: 'Bucket of jobs: a folder below the storage folder.',
    }),
    storage_folder: field.string({
      doc: 'Folder of the buckets. Default: lithops-<user> in the folder for temporary files.',
    }),
    version: field.ignored('there is one localhost backend'),
    max_workers: field.ignored('set worker_processes', { matters: always }),
    worker_memory: field.ignored('set runtime_memory', { matters: always }),
  },
  renamed: { workers: 'worker_processes', memory: 'runtime_memory', storage_path: 'storage_folder' },
})

/** The section `serverless`: what all serverless backends have alike. */
export const serverlessSection = defineConfigSection({
  name: 'serverless',
  fields: {
    backend: field.string({ doc: 'Backend of `mode: serverless`, where the section lithops names none.' }),
    runtime: field.string({
      doc: "Runtime of jobs, instead of that in the backend's section. Default: that one.",
    }),
    customized_runtime: field.boolean({
      doc: 'Puts the function of each job into its runtime, once for the same content: activations carry none. The same as `runtime_include_function: true` in the section of each backend that has the key.',
    }),
    map_func_mod: field.string({
      doc: 'File of the function that `lithops runtime extend` has put into the runtime, with or without its ending: from the working directory, the folder of the config file, or that of the program. Needs map_func.',
    }),
    map_func: field.string({
      doc: 'Name of that function. Maps of it send no code; a map of another function is an error. Needs map_func_mod.',
    }),
    runtime_memory: field.ignored('set runtime_memory in the section of the backend', { matters: always }),
    runtime_timeout: field.ignored('set runtime_timeout in the section of the backend', { matters: always }),
  },
})

/**
 * All sections that Lithops (Python) knows. Those of a backend, storage or monitor that is not chosen are not looked at,
 * so that one config file can serve both.
 */
export const KNOWN_SECTIONS: readonly string[] = [
  'lithops',
  'localhost',
  'serverless',
  'standalone',
  'aws',
  'aws_lambda',
  'aws_batch',
  'aws_s3',
  'aws_ec2',
  'gcp',
  'gcp_functions',
  'gcp_cloudrun',
  'gcp_storage',
  'gcp_compute_engine',
  'azure',
  'azure_functions',
  'azure_containers',
  'azure_storage',
  'azure_vms',
  'azure_virtual_machines',
  'ibm',
  'ibm_cf',
  'ibm_cos',
  'ibm_vpc',
  'code_engine',
  'openwhisk',
  'knative',
  'k8s',
  'singularity',
  'aliyun',
  'aliyun_fc',
  'aliyun_oss',
  'oracle',
  'oracle_f',
  'oracle_oss',
  'vm',
  'rabbitmq',
  'redis',
  'minio',
  'ceph',
  'swift',
  'infinispan',
  'infinispan_hotrod',
  'plots',
  'prometheus',
  'docker',
]
