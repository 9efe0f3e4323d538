import { ConfigError } from '@lithops/core/driver'
import { expect, test } from 'vitest'
import { cloudRunSection, settingsOf } from './config.ts'

const parse = (section: Record<string, unknown>) => cloudRunSection.parse(section, { name: 'the test' })
const region = 'us-east1'

test('a config of Lithops for Python is taken, and what has no meaning here is told, loudly where something is lost', () => {
  const { config, warnings, notes } = parse({
    region,
    project_name: 'my-project',
    credentials_path: '/home/me/key.json',
    runtime_memory: 256,
    runtime_cpu: 0.25,
    runtime_timeout: 300,
    trigger: 'https',
    min_workers: 0,
    max_workers: 100,
    worker_processes: 1,
    invoke_pool_threads: 100,
    docker_server: 'pkg.dev',
    artifact_registry_repository: 'lithops',
    runtime_include_function: false,
  })
  expect(settingsOf(config)).toMatchObject({
    region,
    project: 'my-project',
    credentialsPath: '/home/me/key.json',
    memoryMiB: 256,
    cpu: 0.25,
    timeoutMs: 300_000,
    maxWorkers: 100,
    minWorkers: 0,
    workerProcesses: 1,
    concurrency: 1,
    dockerServer: 'pkg.dev',
    repository: 'lithops',
  })
  expect(warnings).toEqual([])
  expect(notes).toHaveLength(2)
  expect(parse({ region, trigger: 'pub/sub' }).warnings).toEqual([
    expect.stringContaining('workers are called over HTTPS'),
  ])
})

test.each([
  [{ runtime_timeout: 604_801 }, 'whole number from 1 to 604800'],
  [{ workload: 'tasks' }, "'services'"],
  [{ runtime_memory: 64 }, 'whole number from 128 to 32768'],
  [{ runtime_cpu: 0.01 }, 'number from 0.08'],
  [{ concurrency: 1001 }, 'whole number from 1 to 1000'],
  [{ runtime_memmory: 1 }, "Did you mean 'runtime_memory'"],
  [{ project: 'x' }, "called 'project_name' here"],
])('%o is refused', (section, message) => {
  expect(() => parse({ region, ...section })).toThrow(message)
})

test('what only Cloud Run would notice is refused before it is asked, all of it at once', () => {
  const given = {
    region: 'US East',
    project_name: 'My Project',
    runtime_cpu: 0.25,
    runtime_memory: 1024,
    min_workers: 5,
    max_workers: 2,
    concurrency: 80,
    service_account: 'me',
    credentials: '{}',
    credentials_path: '/x.json',
    endpoint: 'http://run.internal.example',
    env_vars: { PORT: '1', K_SERVICE: 'x', GOOD: 'x', BAD: [] },
  }
  const check = () => settingsOf(parse(given).config)
  expect(check).toThrow(ConfigError)
  for (const part of [
    "region must be a region, such as us-east1, not 'US East'",
    "project_name must be the id of a project, not 'My Project'",
    '128 to 512 MiB go with 0.25 processors, and 0.5 or more with 1024 MiB',
    'Cloud Run gives a worker with 0.25 processors one request at a time',
    'gcp_cloudrun.min_workers is 5',
    'service_account must be the address',
    'credentials and credentials_path: give one',
    'tokens would go to http://run.internal.example for all to read',
    'gcp_cloudrun.env_vars.PORT',
    'gcp_cloudrun.env_vars.K_SERVICE',
    'gcp_cloudrun.env_vars.BAD',
  ])
    expect(check).toThrow(part)
})

test('a region is needed', () => {
  expect(() => settingsOf({})).toThrow('gcp_cloudrun.region is missing: give it here or in the section gcp')
})

test('jobs have their own defaults and limits, and services theirs', () => {
  const settings = (section: Record<string, unknown>) => settingsOf(parse({ region, ...section }).config)
  expect(settings({ workload: 'jobs', runtime_timeout: 90_000 })).toMatchObject({
    workload: 'jobs',
    cpu: 1,
    memoryMiB: 512,
    timeoutMs: 90_000_000,
  })
  for (const [section, problem] of [
    [{ runtime_timeout: 3601 }, 'services have 3600 s at most, and jobs (gcp_cloudrun.workload) a week'],
    [{ workload: 'jobs', runtime_cpu: 0.5 }, 'jobs have 1 processor at least, not 0.5'],
    [{ workload: 'jobs', runtime_memory: 256 }, 'jobs have 512 MiB at least, not 256'],
    [{ workload: 'jobs', concurrency: 2 }, 'gcp_cloudrun.concurrency is for services'],
    [{ workload: 'jobs', env_vars: { LITHOPS_RUN: 'x' } }, 'gcp_cloudrun.env_vars.LITHOPS_RUN'],
  ] as const)
    expect(() => settings(section)).toThrow(problem)
})
