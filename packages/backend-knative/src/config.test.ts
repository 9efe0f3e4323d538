import { ConfigError } from '@lithops/core/driver'
import { expect, test } from 'vitest'
import { knativeSection, settingsOf } from './config.ts'

const parse = (section: Record<string, unknown>) => knativeSection.parse(section, { name: 'the test' })

test('a config of Lithops for Python is taken, and what has no meaning here is told, loudly where something is lost', () => {
  const { config, warnings, notes } = parse({
    networking_layer: 'kourier',
    ingress_endpoint: '192.168.1.7:31380',
    kubecfg_path: '/home/me/.kube/config',
    docker_server: 'docker.io',
    docker_user: 'me',
    docker_password: 'secret',
    runtime_timeout: 600,
    runtime_memory: 512,
    runtime_cpu: 0.5,
    max_workers: 100,
    worker_processes: 2,
    invoke_pool_threads: 100,
    git_url: 'https://example.com/x.git',
    service_host_suffix: '.default.example.com',
  })
  expect(settingsOf(config)).toMatchObject({
    memoryMiB: 512,
    cpuMillis: 500,
    timeoutMs: 600_000,
    maxWorkers: 100,
    workerProcesses: 2,
    networkingLayer: 'kourier',
    registry: { dockerServer: 'docker.io', dockerUser: 'me', dockerPassword: 'secret' },
  })
  expect(settingsOf(config).ingress?.origin).toBe('http://192.168.1.7:31380')
  expect(warnings).toEqual([expect.stringMatching(/knative\.git_url .*lithops runtime build/)])
  expect(notes).toHaveLength(2)
})

test.each([
  [{ runtime_timeout: 601 }, 'whole number from 1 to 600'],
  [{ runtime_memory: 64 }, 'whole number from 128'],
  [{ runtime_cpu: 0 }, 'number from 0.001'],
  [{ networking_layer: 'gloo' }, "'kourier' | 'istio' | 'contour'"],
  [{ runtime_memmory: 1 }, "Did you mean 'runtime_memory'"],
  [{ kubeconfig: 'x' }, "called 'kubecfg_path' here"],
])('%o is refused', (section, message) => {
  expect(() => parse(section)).toThrow(message)
})

test('what only Knative would notice is refused before it is asked, all of it at once', () => {
  const given = {
    runtime_cpu: 0.0015,
    min_workers: 5,
    max_workers: 2,
    namespace: 'My_Space',
    worker_processes: 20,
    concurrency: 80,
    ingress_endpoint: 'http://x/path',
    env_vars: { PORT: '1', GOOD: 'x', BAD: [] },
  }
  const check = () => settingsOf(parse(given).config)
  expect(check).toThrow(ConfigError)
  for (const part of [
    'three decimals',
    'knative.min_workers is 5',
    'knative.namespace must be',
    '1600: Knative gives one worker 1000',
    'knative.ingress_endpoint must be',
    'knative.env_vars.PORT',
    'knative.env_vars.BAD',
  ])
    expect(check).toThrow(part)
})

test('environment variables are a mapping, or a list as in Kubernetes', () => {
  const list = [{ name: 'A', value: 1 }]
  expect(settingsOf({ env_vars: list }).environment).toEqual({ A: '1' })
  expect(settingsOf({ env_vars: { A: 1 } }).environment).toEqual({ A: '1' })
})
