import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'

/** What package managers write when they change what a name in an import leads to. */
const LOCK_FILES = [
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
  'node_modules/.package-lock.json',
  'node_modules/.modules.yaml',
  'node_modules/.yarn-state.yml',
]

const states = new Map<string, Promise<string>>()

/**
 * A text that changes when packages are installed, updated or removed in the folder or one above it. Looked at once in a
 * process: what it has loaded does not change either.
 */
export function lockStateOf(folder: string): Promise<string> {
  let state = states.get(folder)
  if (state === undefined) {
    state = lookAt(folder)
    states.set(folder, state)
  }
  return state
}

async function lookAt(folder: string): Promise<string> {
  const found = await Promise.all(
    [...foldersUp(folder)].flatMap(one =>
      LOCK_FILES.map(async name => {
        const file = path.join(one, name)
        const facts = await stat(file).catch(() => undefined)
        return facts === undefined ? [] : [file, facts.size, facts.mtimeMs]
      }),
    ),
  )
  return JSON.stringify(found.filter(facts => facts.length > 0))
}

/** The files beside some modules that say what imports lead to: manifests of their packages, and settings of TypeScript. */
export function resolutionFilesOf(modules: readonly string[]): string[] {
  const found = new Set<string>()
  const folders = new Set(modules.map(file => path.dirname(file)))
  for (const folder of folders) {
    const names = /[\\/]node_modules[\\/]/.test(folder + path.sep)
      ? ['package.json']
      : ['package.json', 'tsconfig.json']
    for (const name of names) {
      const file = nearest(folder, name)
      if (file !== undefined) found.add(file)
    }
  }
  return [...found]
}

function nearest(folder: string, name: string): string | undefined {
  for (const one of foldersUp(folder)) {
    const file = path.join(one, name)
    if (existsSync(file)) return file
  }
  return undefined
}

function* foldersUp(folder: string): Generator<string> {
  yield folder
  for (let one = folder; path.dirname(one) !== one; ) {
    one = path.dirname(one)
    yield one
  }
}
