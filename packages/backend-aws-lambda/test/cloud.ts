import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeAws, type FakeAwsOptions } from '@lithops/fake-clouds/aws'
import { afterAll, afterEach, vi } from 'vitest'
import type { AwsLambdaBackend } from '../src/aws-lambda-backend.ts'
import { awsLambdaSection, backend } from '../src/index.ts'

const cache = mkdtempSync(join(tmpdir(), 'lithops-test-cache-'))
afterAll(() => rmSync(cache, { recursive: true, force: true }))

/** A cloud of the test file's own, and clients of it with a cache of their own. */
export function cloud(options: FakeAwsOptions = {}) {
  let aws: FakeAws | undefined
  const backends: AwsLambdaBackend[] = []
  const newCache = () => {
    for (const name of readdirSync(cache)) if (name.startsWith('aws-lambda-')) rmSync(join(cache, name))
  }
  afterEach(async () => {
    await Promise.all(backends.splice(0).map(one => one.close()))
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await aws?.close()
  })
  return {
    /** Started when it is first needed. */
    async start(): Promise<FakeAws> {
      if (aws === undefined) {
        aws = await FakeAws.start(options)
        for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value)
        vi.stubEnv('LITHOPS_CACHE_DIR', cache)
      }
      return aws
    },
    /** The next backends know nothing of what others have found out. */
    newCache,
    async open(section: Record<string, unknown> = {}): Promise<AwsLambdaBackend> {
      const { roleArn } = await this.start()
      const { config } = awsLambdaSection.parse({ execution_role: roleArn, ...section }, { name: 'the test' })
      const log = { debug() {}, info() {}, warn() {} }
      const context = { projectDirectory: process.cwd(), userName: 'tester', log }
      const made = (await backend.create(config, context)) as AwsLambdaBackend
      backends.push(made)
      return made
    },
  }
}
