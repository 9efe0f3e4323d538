import { expect, test } from 'vitest'
import { type CodeEngineConfig, codeEngineSection, settingsOf } from './config.ts'

const ibm = { iam_api_key: 'key', region: 'eu-de' }
const read = (section: Record<string, unknown>) =>
  settingsOf(codeEngineSection.parse({ ...ibm, ...section }, { name: 'the test' }).config as CodeEngineConfig)

test('a config of Lithops (Python) is taken as it is', () => {
  const settings = read({
    resource_group_id: 'group',
    project_name: 'my-project',
    docker_server: 'docker.io',
    docker_user: 'me',
    docker_password: 'secret',
    runtime: 'my-runtime:1',
    runtime_cpu: 0.125,
    runtime_memory: 256,
    runtime_timeout: 600,
    max_workers: 1000,
    worker_processes: 4,
    connection_retries: 5,
    namespace: 'x',
  })
  expect(settings).toMatchObject({
    apiKey: 'key',
    memoryMiB: 256,
    cpu: 0.125,
    timeoutMs: 600_000,
    workload: 'jobs',
    endpoint: 'https://api.eu-de.codeengine.cloud.ibm.com/v2',
  })
})

test('the registry of the same cloud takes the same key', () => {
  expect(read({ docker_server: 'de.icr.io', docker_namespace: 'team' }).registry.dockerPassword).toBe('key')
  expect(read({ docker_user: 'me' }).registry.dockerPassword).toBeUndefined()
})

test.each([
  [{ iam_api_key: undefined }, /ibm.iam_api_key is missing/],
  [{ runtime_memory: 300 }, /a memory of 300 MB does not exist; there are 256, 512, 1024/],
  [
    { runtime_memory: 2048, runtime_cpu: 0.125 },
    /with 2048 MB there are 0.25, 0.5, 1 CPU, and with 0.125 CPU 256, 512, 1024 MB/,
  ],
  [{ concurrency: 4 }, /concurrency is for applications/],
  [{ workload: 'applications', runtime_timeout: 900 }, /runtime_timeout is 900: applications have 600 s/],
  [{ workload: 'applications', worker_processes: 40, concurrency: 100 }, /is 4000: one instance takes 1000/],
  [{ workload: 'applications', min_workers: 5, max_workers: 2 }, /min_workers is 5/],
  [{ endpoint: 'nowhere' }, /endpoint must be a URL/],
  [{ env_vars: { JOB_INDEX: '1' } }, /env_vars.JOB_INDEX: this name is the platform's/],
])('%j is refused with what is wrong', (section, message) => {
  expect(() => read(section)).toThrow(message)
})

test('a region that there is not is refused with those that there are', () => {
  expect(() => read({ region: 'eu-xx' })).toThrow(/region.*eu-de/s)
})
