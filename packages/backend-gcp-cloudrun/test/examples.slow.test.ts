import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { FakeCloudRun, STAND_IN_TOOL } from '@lithops/fake-clouds/cloudrun'
import { afterAll, beforeAll, expect, test } from 'vitest'

// The examples, each as somebody would run it who has nothing but the packages and a config file.

const repository = join(import.meta.dirname, '..', '..', '..')
const tsx = join(repository, 'node_modules', 'tsx', 'dist', 'cli.mjs')
const snippet = (name: string) => join('docs', 'snippets', name)
const project = mkdtempSync(join(tmpdir(), 'lithops-cloudrun-examples-'))
let cloud: FakeCloudRun

beforeAll(async () => {
  cloud = await FakeCloudRun.start()
  const scope = join(project, 'node_modules', '@lithops')
  mkdirSync(scope, { recursive: true })
  for (const name of ['core', 'backend-gcp-cloudrun'])
    symlinkSync(join(repository, 'packages', name), join(scope, name))
  const { endpoint, region, registry, credentialsPath } = cloud
  const sections = {
    lithops: { backend: 'gcp_cloudrun' },
    gcp: { region, credentials_path: credentialsPath },
    gcp_cloudrun: {
      endpoint,
      docker_server: registry.host,
      docker_user: 'oauth2accesstoken',
      container_tool: STAND_IN_TOOL,
      max_workers: 4,
    },
  }
  // YAML takes JSON
  writeFileSync(join(project, '.lithops_config'), JSON.stringify(sections))
})
afterAll(async () => {
  await cloud.close()
  rmSync(project, { recursive: true, force: true })
})

test.each([
  // the workers of the stand-in are processes of this machine
  {
    file: join('examples', 'word-count', 'main.ts'),
    args: [join(repository, 'docs')],
    prints: /The totals are those of one process alone\.$/,
  },
  { file: snippet('readme.ts'), prints: /^\[ 12\.1, 24\.2, 36\.3 \]\n72\.60$/ },
  { file: snippet('getting-started/first-map.ts'), prints: /^\[ 12\.1, 24\.2, 36\.3 \]$/ },
  { file: snippet('getting-started/context.ts'), prints: /^Hello World! This is attempt 0\.$/ },
  { file: snippet('getting-started/errors.ts'), prints: /^true article 42\ntrue$/ },
  { file: snippet('getting-started/futures.ts'), prints: /^20 .*waiting 20 ms[\s\S]*waiting 300 ms/m },
  { file: snippet('getting-started/map-reduce.ts'), prints: /^32\n\[ 'ES', 'DE' \] \[ 27, 5 \]$/ },
  { file: snippet('backends/gcp-cloudrun.ts'), prints: /^\[ 12\.1, 24\.2, 36\.3 \]$/ },
])('$file', { timeout: 120_000 }, async ({ file, args = [], prints }) => {
  const { LITHOPS_CONFIG_FILE: _file, LITHOPS_CONFIG: _config, ...inherited } = process.env
  const env = { ...inherited, ...cloud.env, HOME: project, LITHOPS_CACHE_DIR: join(project, 'cache') }
  const before = cloud.activations.length
  const { stdout } = await promisify(execFile)(process.execPath, [tsx, join(repository, file), ...args], {
    cwd: project,
    env,
    timeout: 90_000,
  })
  expect(stdout.trim()).toMatch(prints)
  expect(cloud.activations.length).toBeGreaterThan(before)
})
