import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeCodeEngine, type FakeCodeEngineOptions } from '@lithops/fake-clouds/code-engine'
import { STAND_IN_TOOL } from '@lithops/fake-clouds/knative'
import { afterAll, afterEach, vi } from 'vitest'
import type { CodeEngineBackend } from '../src/code-engine-backend.ts'
import { backend, codeEngineSection } from '../src/index.ts'

const cache = mkdtempSync(join(tmpdir(), 'lithops-test-cache-'))
afterAll(() => rmSync(cache, { recursive: true, force: true }))

/** A cloud of the test file's own, and clients of it with a cache of their own. */
export function cloud(options: FakeCodeEngineOptions = {}) {
  let fake: FakeCodeEngine | undefined
  const backends: CodeEngineBackend[] = []
  afterEach(async () => {
    await Promise.all(backends.splice(0).map(one => one.close()))
  })
  const close = async () => {
    vi.unstubAllEnvs()
    await fake?.close()
  }
  afterAll(close)
  return {
    /** Before the end of the file's tests closes it; may be called twice. */
    close,
    /** Started when it is first needed. */
    async start(): Promise<FakeCodeEngine> {
      fake ??= await FakeCodeEngine.start(options)
      for (const [name, value] of Object.entries(fake.env)) vi.stubEnv(name, value)
      vi.stubEnv('LITHOPS_CACHE_DIR', cache)
      return fake
    },
    /** The next backends know nothing of what others have found out. */
    newCache() {
      for (const name of readdirSync(cache)) if (name.startsWith('code-engine-')) rmSync(join(cache, name))
    },
    async open(section: Record<string, unknown> = {}): Promise<CodeEngineBackend> {
      const { registry, section: way } = await this.start()
      const { config } = codeEngineSection.parse(
        {
          ...way,
          docker_server: registry.host,
          container_tool: STAND_IN_TOOL,
          runtime_memory: 512,
          runtime_timeout: 60,
          max_workers: 4,
          ...section,
        },
        { name: 'the test' },
      )
      const log = { debug() {}, info() {}, warn() {} }
      const context = { projectDirectory: process.cwd(), userName: 'tester', log }
      const made = (await backend.create(config, context)) as CodeEngineBackend
      backends.push(made)
      return made
    },
  }
}
