import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { RuntimeFunction } from '@lithops/core/driver'
import { markLabels } from './image-marks.ts'
import type { ImageTool, StepOptions } from './image-tool.ts'

/** What default images stand on: the Node line that most clouds have, without compilers. */
export const DEFAULT_BASE_IMAGE = 'docker.io/library/node:24-bookworm-slim'
/** Where the worker lies in images. */
export const WORKER_PATH = '/lithops/worker.cjs'

const FUNCTION_FOLDER = 'functions'
const WORKER_NAME = 'worker.cjs'
/** Users of images of Node have this one, named node. */
const USER = '1000:1000'
const FILE_MODE = 0o644
const PROGRAM_MODE = 0o755
const FOLDER_MODE = 0o755
const TAG_CHARACTERS = 16
const LABEL = 'org.lithops.worker'

/**
 * The one recipe of all images with a worker: whatever has `node` on its PATH, and one file. It starts without a shell, so
 * that SIGTERM reaches Node; nothing is installed when it runs; it runs as nobody in particular.
 */
export const WORKER_RECIPE = `ARG BASE
FROM \${BASE}
COPY . /lithops/
ENV NODE_ENV=production
USER ${USER}
ENTRYPOINT ["node", "${WORKER_PATH}"]
CMD []
`

/** That of images with functions alone: whatever is laid over them later, and runs there, is another's to say. */
const EXTENSION_RECIPE = `ARG BASE
FROM \${BASE}
COPY . /lithops/
`

export interface WorkerImage {
  /** Name and tag of the image to make. */
  readonly image: string
  /** Image that it stands on: of a registry, or of this machine. It must have `node` on its PATH. */
  readonly base: string
  /** The worker: one CommonJS file that imports nothing but Node. */
  readonly worker: Uint8Array
  /** Further files beside the worker, by their paths below its folder. Default: none. */
  readonly files?: Readonly<Record<string, Uint8Array>>
  /** Those of `files` that are programs. Default: none. */
  readonly executables?: readonly string[]
  /** Such as 'linux/amd64'. */
  readonly platform: string
  /** For whom it is made, told in a label. Default: nobody in particular. */
  readonly owner?: string | undefined
}

/** Puts a worker into an image, over its base, and keeps the image on this machine. Throws RuntimeBuildError. */
export async function buildWorkerImage(
  tool: ImageTool,
  { worker, files = {}, executables = [], ...image }: WorkerImage,
  options: StepOptions = {},
): Promise<void> {
  await buildOver(
    tool,
    { ...image, executables, files: { ...files, [WORKER_NAME]: worker } },
    { recipe: WORKER_RECIPE, labels: { [LABEL]: contentTag([worker]) } },
    options,
  )
}

/** Functions to put into an image over its base, as `functionFiles` gives them; a worker is laid over it later. */
export type ExtensionImage = Pick<WorkerImage, 'image' | 'base' | 'platform' | 'owner'> &
  Required<Pick<WorkerImage, 'files'>>

/** Puts functions into an image, and keeps the image on this machine. Throws RuntimeBuildError. */
export async function buildExtensionImage(
  tool: ImageTool,
  extension: ExtensionImage,
  options: StepOptions = {},
): Promise<void> {
  await buildOver(tool, { ...extension, executables: [] }, { recipe: EXTENSION_RECIPE }, options)
}

/** The tag of an image with functions: the same for the same of each. `base` is a digest where it has one. */
export function extensionTag(base: string, functions: readonly RuntimeFunction[], platform: string): string {
  return contentTag([EXTENSION_RECIPE, base, ...functions.map(({ hash }) => hash).sort(), platform])
}

async function buildOver(
  tool: ImageTool,
  {
    image,
    base,
    platform,
    owner,
    files,
    executables,
  }: ExtensionImage & Required<Pick<WorkerImage, 'executables'>>,
  { recipe, labels = {} }: { readonly recipe: string; readonly labels?: Readonly<Record<string, string>> },
  options: StepOptions,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lithops-image-'))
  try {
    const context = join(folder, 'context')
    for (const [path, bytes] of Object.entries(files)) {
      const file = join(context, path)
      await mkdir(dirname(file), { recursive: true, mode: FOLDER_MODE })
      await writeFile(file, bytes, { mode: executables.includes(path) ? PROGRAM_MODE : FILE_MODE })
    }
    const dockerfile = join(folder, 'Dockerfile')
    await writeFile(dockerfile, recipe)
    const marked = { ...labels, ...markLabels(image, owner) }
    const buildArgs = { BASE: base }
    await tool.build({ image, dockerfile, context, platform, buildArgs, labels: marked, ...options })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Functions that an image brings, as `WorkerImage.files` whose workers find them. Their hashes belong into the tag of the image,
 * which then need not be made to be known.
 */
export async function functionFiles(
  functions: readonly RuntimeFunction[] = [],
): Promise<Record<string, Uint8Array>> {
  const files = functions.map(
    async ({ hash, read }) => [`${FUNCTION_FOLDER}/${hash}.mjs`, await read()] as const,
  )
  return Object.fromEntries(await Promise.all(files))
}

/**
 * A tag that is the same for the same content, for all who make it: of the recipe, and of these parts in their order. The
 * platform, and the digest of the base, belong into them.
 */
export function contentTag(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256').update(WORKER_RECIPE)
  for (const part of parts) hash.update(createHash('sha256').update(part).digest())
  return hash.digest('hex').slice(0, TAG_CHARACTERS)
}
