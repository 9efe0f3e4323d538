// Shows that each arrow of .dependency-cruiser.cjs stops what it is there to stop: a small tree of files that breaks
// the rule makes that rule speak, and no other; a tree that keeps it passes.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { cruise } from 'dependency-cruiser'
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options'
import { afterAll, describe, expect, test } from 'vitest'

const configFile = path.join(import.meta.dirname, '..', '.dependency-cruiser.cjs')
const rules = createRequire(import.meta.url)(configFile).forbidden.map(rule => rule.name)
const options = await extractOptions(configFile)

// A tree is a table: file → the modules it imports, its text, or a link. Modules that appear only as imports of packages need
// no file: a rule must also speak of what is not installed.
const core = 'packages/core/src'
const lambda = 'packages/backend-aws-lambda/src'
const coreManifest = JSON.stringify({
  name: '@lithops/core',
  exports: {
    '.': './dist/index.js',
    './driver': './dist/driver/index.js',
    './worker': './dist/worker/index.js',
    './testing': './dist/testing/index.js',
  },
})
/** Core as a package that others import: built, and linked into a driver package as by pnpm. */
const builtCore = {
  'packages/core/package.json': coreManifest,
  'packages/core/dist/index.js': [],
  'packages/core/dist/driver/index.js': [],
  'packages/core/dist/worker/index.js': [],
  'packages/core/dist/testing/index.js': [],
  'packages/backend-aws-lambda/node_modules/@lithops/core': { linkTo: 'packages/core' },
}

/** For each rule: trees that break it, one per thing that it forbids, and trees near to them that keep it. */
const TREES = {
  'core-knows-no-driver': {
    breaking: {
      'another package of the workspace': {
        [`${core}/index.ts`]: ['../../backend-aws-lambda/src/index.ts'],
        [`${lambda}/index.ts`]: [],
      },
      'a driver by its name': { [`${core}/index.ts`]: ['@lithops/storage-aws-s3'] },
      'what drivers share': { [`${core}/index.ts`]: ['@lithops/s3-family'] },
      'the SDK of a cloud, not installed': { [`${core}/storage/s3.ts`]: ['@aws-sdk/client-s3'] },
      'the SDK of a cloud, installed': {
        [`${core}/storage/redis.ts`]: ['redis'],
        'node_modules/redis/package.json': '{"name":"redis","main":"index.js"}',
        'node_modules/redis/index.js': [],
      },
    },
    keeping: {
      'a package with a name that begins like one': { [`${core}/storage/redis.ts`]: ['redis-names'] },
    },
  },
  'worker-stays-small': {
    breaking: {
      'a room of the client': {
        [`${core}/worker/index.ts`]: ['../config/read-config.ts'],
        [`${core}/config/read-config.ts`]: [],
      },
      'a library of the client, two steps away': {
        [`${core}/worker/index.ts`]: ['./value.ts'],
        [`${core}/worker/value.ts`]: ['../codec/value.ts'],
        [`${core}/codec/value.ts`]: ['js-yaml'],
      },
      "the inspector, from the local backend's worker": {
        [`${core}/localhost/slot-main.ts`]: ['../worker/log-capture.ts'],
        [`${core}/worker/log-capture.ts`]: ['node:inspector'],
      },
      "the client's half of the local backend": {
        [`${core}/localhost/slot-main.ts`]: ['./worker-process.ts'],
        [`${core}/localhost/worker-process.ts`]: [],
      },
    },
    keeping: {
      'its own half of the local backend, and types of the client': {
        [`${core}/localhost/slot-main.ts`]: ['./slot-channel.ts', '../worker/index.ts'],
        [`${core}/localhost/slot-channel.ts`]: ['node:net'],
        [`${core}/worker/index.ts`]:
          "import type { Config } from '../config/read-config.ts'\nexport const config = {} as Config\n",
        [`${core}/config/read-config.ts`]: 'export interface Config {}\n',
      },
    },
  },
  'lazy-imports-in-one-place': {
    breaking: {
      'a package that is loaded when needed': {
        [`${core}/data/glob.ts`]: "export const load = () => import('picomatch')\n",
      },
      'a file of core': {
        [`${core}/executor/open.ts`]: "export const load = () => import('./other.ts')\n",
        [`${core}/executor/other.ts`]: [],
      },
    },
    keeping: {
      'the place for it': {
        [`${core}/lazy-imports.ts`]: "export const load = () => import('picomatch')\n",
      },
      'the type of a package': {
        [`${core}/data/glob.ts`]: "export type P = typeof import('picomatch')\n",
      },
    },
  },
  'capture-loads-late': {
    breaking: {
      'a parser': { [`${core}/executor/open.ts`]: ['acorn'] },
    },
    keeping: {
      'the types of a parser': {
        [`${core}/executor/open.ts`]: "import type { Node } from 'acorn'\nexport type N = Node\n",
      },
    },
  },
  'driver-is-contracts': {
    breaking: {
      'the executor': {
        [`${core}/driver/load.ts`]: ['../executor/executors.ts'],
        [`${core}/executor/executors.ts`]: [],
      },
    },
    keeping: {
      'errors and config': {
        [`${core}/driver/load.ts`]: ['../errors/index.ts', '../config/section.ts', '../version.ts', 'zod'],
        [`${core}/errors/index.ts`]: [],
        [`${core}/config/section.ts`]: [],
        [`${core}/version.ts`]: [],
      },
    },
  },
  'codec-stands-alone': {
    breaking: {
      'the storage': {
        [`${core}/codec/value.ts`]: ['../storage/storage.ts'],
        [`${core}/storage/storage.ts`]: [],
      },
    },
    keeping: {
      'its errors': { [`${core}/codec/value.ts`]: ['../errors/index.ts'], [`${core}/errors/index.ts`]: [] },
    },
  },
  'errors-stand-alone': {
    breaking: {
      'the version': { [`${core}/errors/index.ts`]: ['../version.ts'], [`${core}/version.ts`]: [] },
    },
    keeping: {
      'one another': {
        [`${core}/errors/index.ts`]: ['./lithops-error.ts'],
        [`${core}/errors/lithops-error.ts`]: ['node:util'],
      },
    },
  },
  'drivers-use-the-contract': {
    breaking: {
      'the entry for users': { [`${lambda}/index.ts`]: ['@lithops/core'] },
      'the entry for users, built': { ...builtCore, [`${lambda}/index.ts`]: ['@lithops/core'] },
      "core's source": {
        [`${lambda}/index.ts`]: ['../../core/src/driver/index.ts'],
        [`${core}/driver/index.ts`]: [],
      },
      'the entry for users, from what drivers share': {
        'packages/s3-family/src/s3-storage.ts': ['@lithops/core'],
      },
      'the entry for users, from what builds images': {
        'packages/container-runtime/src/image-tool.ts': ['@lithops/core'],
      },
      'the entry for remote halves, built': {
        ...builtCore,
        [`${lambda}/index.ts`]: ['@lithops/core/worker'],
      },
    },
    keeping: {
      'the contract': {
        ...builtCore,
        [`${lambda}/index.ts`]: ['@lithops/core/driver', '@aws-sdk/client-lambda'],
      },
      'its tests use the kit': {
        'packages/backend-aws-lambda/test/conformance.ts': ['@lithops/core/testing', '@lithops/core'],
      },
    },
  },
  'driver-workers-use-the-worker': {
    breaking: {
      'the contract for the other half': { [`${lambda}/worker/entry.ts`]: ['@lithops/core/driver'] },
      'the same, built': { ...builtCore, [`${lambda}/worker/entry.ts`]: ['@lithops/core/driver'] },
    },
    keeping: {
      'the worker entry': { ...builtCore, [`${lambda}/worker/entry.ts`]: ['@lithops/core/worker'] },
    },
  },
  'driver-halves-apart': {
    breaking: {
      "the half of the user's machine": {
        [`${lambda}/worker/entry.ts`]: ['../client.ts'],
        [`${lambda}/client.ts`]: ['@aws-sdk/client-lambda'],
      },
    },
    keeping: {
      'its own half and the limits': {
        [`${lambda}/worker/entry.ts`]: ['./event.ts', '../limits.ts'],
        [`${lambda}/worker/event.ts`]: [],
        [`${lambda}/limits.ts`]: [],
      },
      "the user's half names the remote one": {
        [`${lambda}/runtime.ts`]: ['./worker/entry.ts'],
        [`${lambda}/worker/entry.ts`]: [],
      },
    },
  },
  'drivers-apart': {
    breaking: {
      'another driver by path': {
        [`${lambda}/index.ts`]: ['../../storage-aws-s3/src/index.ts'],
        'packages/storage-aws-s3/src/index.ts': [],
      },
      'another driver by name': { [`${lambda}/index.ts`]: ['@lithops/storage-aws-s3'] },
    },
    keeping: {
      'a shared library': { [`${lambda}/index.ts`]: ['@lithops/container-runtime'] },
    },
  },
  'driver-libraries-know-no-driver': {
    breaking: {
      'by path': {
        'packages/s3-family/src/index.ts': ['../../storage-minio/src/index.ts'],
        'packages/storage-minio/src/index.ts': [],
      },
      'by name': { 'packages/s3-family/src/index.ts': ['@lithops/storage-minio'] },
    },
    keeping: {
      'its SDK': { 'packages/s3-family/src/index.ts': ['@aws-sdk/client-s3'] },
      'a driver imports it': { 'packages/storage-minio/src/index.ts': ['@lithops/s3-family'] },
    },
  },
  'testing-is-for-tests': {
    breaking: {
      'core imports a kit': {
        [`${core}/executor/executors.ts`]: ['../testing/memory-storage.ts'],
        [`${core}/testing/memory-storage.ts`]: [],
      },
      'the command line imports the kits': { 'packages/cli/src/main.ts': ['@lithops/core/testing'] },
      'the command line does, built': {
        ...builtCore,
        'packages/cli/src/main.ts': [
          '../../backend-aws-lambda/node_modules/@lithops/core/dist/testing/index.js',
        ],
      },
    },
    keeping: {
      'a test does': {
        'packages/cli/test/helper.ts': ['@lithops/core/testing'],
        'bench/run.ts': ['../packages/core/src/testing/index.ts'],
        [`${core}/testing/index.ts`]: ['./kit.ts'],
        [`${core}/testing/kit.ts`]: [],
      },
    },
  },
  'no-cycles': {
    breaking: {
      'two files': { [`${core}/job/job.ts`]: ['./call.ts'], [`${core}/job/call.ts`]: ['./job.ts'] },
      'three files of a driver': {
        [`${lambda}/index.ts`]: ['./client.ts'],
        [`${lambda}/client.ts`]: ['./errors.ts'],
        [`${lambda}/errors.ts`]: ['./index.ts'],
      },
    },
    keeping: {
      'types alone': {
        [`${core}/job/job.ts`]: ['./call.ts'],
        [`${core}/job/call.ts`]: "import type { Job } from './job.ts'\nexport const job = {} as Job\n",
      },
    },
  },
  'no-room-cycles': {
    breaking: {
      'two rooms by different files': {
        [`${core}/future/wait.ts`]: ['../job/job.ts'],
        [`${core}/job/job.ts`]: [],
        [`${core}/job/call.ts`]: ['../future/call-handle.ts'],
        [`${core}/future/call-handle.ts`]: [],
      },
    },
    keeping: {
      'a line of rooms': {
        [`${core}/future/wait.ts`]: ['../job/job.ts'],
        [`${core}/job/job.ts`]: ['../errors/index.ts'],
        [`${core}/errors/index.ts`]: [],
      },
    },
  },
}

const folders = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Names of the rules that a tree breaks. */
async function brokenRules(tree) {
  // dependency-cruiser compares real paths; the temporary folder of macOS is a link
  const baseDir = realpathSync(mkdtempSync(path.join(tmpdir(), 'lithops-arrows-')))
  folders.push(baseDir)
  for (const [file, content] of Object.entries({ 'package.json': '{"private":true}', ...tree })) {
    const target = path.join(baseDir, file)
    mkdirSync(path.dirname(target), { recursive: true })
    if (content.linkTo !== undefined) symlinkSync(path.join(baseDir, content.linkTo), target, 'junction')
    else writeFileSync(target, typeof content === 'string' ? content : importing(content))
  }
  const roots = ['packages', 'bench'].filter(root =>
    Object.keys(tree).some(file => file.startsWith(`${root}/`)),
  )
  const { output } = await cruise(roots, { ...options, baseDir }, options.enhancedResolveOptions)
  return [...new Set(output.summary.violations.map(violation => violation.rule.name))]
}

function importing(modules) {
  const lines = modules.map((specifier, i) => `import * as part${i} from '${specifier}'`)
  return `${lines.join('\n')}\nexport default [${modules.map((_, i) => `part${i}`).join(', ')}]\n`
}

test('each rule has a tree that breaks it, and no tree is of a rule that is gone', () => {
  expect(Object.keys(TREES).sort()).toEqual([...rules].sort())
  for (const [rule, { breaking, keeping }] of Object.entries(TREES)) {
    expect(Object.keys(breaking).length, rule).toBeGreaterThan(0)
    expect(Object.keys(keeping).length, rule).toBeGreaterThan(0)
  }
})

describe.each(Object.entries(TREES))('%s', (rule, { breaking, keeping }) => {
  test.each(Object.entries(breaking))('is broken by: %s', async (_, tree) => {
    expect(await brokenRules(tree)).toEqual([rule])
  })
  test.each(Object.entries(keeping))('is kept by: %s', async (_, tree) => {
    expect(await brokenRules(tree)).toEqual([])
  })
})
