import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeCloudRun, type FakeCloudRunOptions, STAND_IN_TOOL } from '@lithops/fake-clouds/cloudrun'
import { afterAll, afterEach, vi } from 'vitest'
import type { CloudRunBackend } from '../src/cloud-run-backend.ts'
import { backend, cloudRunSection } from '../src/index.ts'

const cache = mkdtempSync(join(tmpdir(), 'lithops-test-cache-'))
afterAll(() => rmSync(cache, { recursive: true, force: true }))

/** A platform of the test file's own, and clients of it with a cache of their own. */
export function platform(options: FakeCloudRunOptions & { readonly section?: Record<string, unknown> } = {}) {
  let fake: FakeCloudRun | undefined
  const backends: CloudRunBackend[] = []
  const newCache = () => {
    for (const name of readdirSync(cache)) if (name.startsWith('gcp-cloudrun-')) rmSync(join(cache, name))
  }
  afterEach(async () => {
    await Promise.all(backends.splice(0).map(one => one.close()))
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await fake?.close()
  })
  return {
    /** Started when it is first needed. */
    async start(): Promise<FakeCloudRun> {
      fake ??= await FakeCloudRun.start(options)
      for (const [name, value] of Object.entries(fake.env)) vi.stubEnv(name, value)
      vi.stubEnv('LITHOPS_CACHE_DIR', cache)
      return fake
    },
    /** The next backends know nothing of what others have found out. */
    newCache,
    /** `hasKey` false: on a machine of Google's, whose metadata server says who the program is. */
    async open(section: Record<string, unknown> = {}, { hasKey = true } = {}): Promise<CloudRunBackend> {
      const { registry, endpoint, region } = await this.start()
      if (!hasKey) {
        vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '')
        vi.stubEnv('GCE_METADATA_HOST', new URL(endpoint).host)
      }
      const images = {
        docker_server: registry.host,
        docker_user: 'oauth2accesstoken',
        container_tool: STAND_IN_TOOL,
      }
      const { config } = cloudRunSection.parse(
        { ...images, endpoint, region, runtime_timeout: 60, ...options.section, ...section },
        { name: 'the test' },
      )
      const log = { debug() {}, info() {}, warn() {} }
      const context = { projectDirectory: process.cwd(), userName: 'tester', log }
      const made = (await backend.create(config, context)) as CloudRunBackend
      backends.push(made)
      return made
    },
  }
}

/** A platform whose clients run jobs. */
export function jobPlatform(options: FakeCloudRunOptions = {}) {
  return platform({ ...options, section: { workload: 'jobs', max_workers: 4 } })
}
