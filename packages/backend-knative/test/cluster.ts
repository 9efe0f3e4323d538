import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeKnative, type FakeKnativeOptions, STAND_IN_TOOL } from '@lithops/fake-clouds/knative'
import { afterAll, afterEach, vi } from 'vitest'
import { backend, knativeSection } from '../src/index.ts'
import type { KnativeBackend } from '../src/knative-backend.ts'

const cache = mkdtempSync(join(tmpdir(), 'lithops-test-cache-'))
afterAll(() => rmSync(cache, { recursive: true, force: true }))

/** What tests need of a cluster, real or not. */
export interface TestCluster {
  readonly env: Readonly<Record<string, string>>
  readonly registry: { readonly host: string }
  close(): Promise<void>
}

/** A stand-in of the test file's own, and clients of it with a cache of their own. */
export function cluster(options: FakeKnativeOptions = {}) {
  return clientsOf(() => FakeKnative.start(options))
}

/** Clients of a cluster that is the test file's own. */
export function clientsOf<C extends TestCluster>(startCluster: () => Promise<C>) {
  let starting: Promise<C> | undefined
  const backends: KnativeBackend[] = []
  const warnings: string[] = []
  const newCache = () => {
    for (const name of readdirSync(cache)) if (name.startsWith('knative-')) rmSync(join(cache, name))
  }
  afterEach(async () => {
    warnings.length = 0
    await Promise.all(backends.splice(0).map(one => one.close()))
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await (await starting)?.close()
  })
  return {
    /** Started when it is first needed. */
    async start(): Promise<C> {
      starting ??= startCluster()
      const fake = await starting
      for (const [name, value] of Object.entries(fake.env)) vi.stubEnv(name, value)
      vi.stubEnv('LITHOPS_CACHE_DIR', cache)
      return fake
    },
    /** Of the backends of this test. */
    warnings,
    /** The next backends know nothing of what others have found out. */
    newCache,
    async open(section: Record<string, unknown> = {}): Promise<KnativeBackend> {
      const { registry } = await this.start()
      const images = { docker_server: registry.host, container_tool: STAND_IN_TOOL }
      const { config } = knativeSection.parse(
        { ...images, runtime_timeout: 60, runtime_cpu: 0.5, ...section },
        { name: 'the test' },
      )
      const log = { debug() {}, info() {}, warn: (text: string) => void warnings.push(text) }
      const context = { projectDirectory: process.cwd(), userName: 'tester', log }
      const made = (await backend.create(config, context)) as KnativeBackend
      backends.push(made)
      return made
    },
  }
}
