import { execFile } from 'node:child_process'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import type { RegistryClient } from './registry-client.ts'

/** What runs in an image, unless a function says otherwise. */
export interface ImageConfig {
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[] | null
  readonly Cmd?: readonly string[] | null
  readonly WorkingDir?: string
}

/** A folder that stands for an image's task root, or an image of the registry, whose files can be unpacked. */
export type ImageContent =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'pushed'; readonly unpack: (folder: string) => Promise<ImageConfig> }

const WHITEOUT = '.wh.'

/** Lays the layers of an image over each other. Returns its configuration. */
export async function unpackImage(
  registry: RegistryClient,
  repository: string,
  digest: string,
  folder: string,
): Promise<ImageConfig> {
  const manifest = await registry.manifest(repository, digest)
  const config = JSON.parse((await registry.blob(repository, manifest.config.digest)).toString()) as {
    readonly config?: ImageConfig
  }
  // programs expect it
  await mkdir(path.join(folder, 'tmp'), { recursive: true })
  for (const layer of manifest.layers) {
    const file = `${folder}.layer`
    await writeFile(file, await registry.blob(repository, layer.digest))
    await promisify(execFile)('tar', ['-xf', file, '-C', folder])
    await rm(file)
    await applyWhiteouts(folder)
  }
  return config.config ?? {}
}

/** A layer removes what lies below it by files of such names. */
async function applyWhiteouts(folder: string): Promise<void> {
  const names = await readdir(folder, { recursive: true })
  for (const name of names.filter(name => path.basename(name).startsWith(WHITEOUT))) {
    const gone = path.join(path.dirname(name), path.basename(name).slice(WHITEOUT.length))
    for (const file of [gone, name]) await rm(path.join(folder, file), { recursive: true, force: true })
  }
}
