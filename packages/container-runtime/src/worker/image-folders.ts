import { dirname, join } from 'node:path'

/** Path of the worker, which this process was started with. */
export const workerProgram = (): string => process.argv[1] as string

/** Functions that the image brings, beside the worker. */
export const functionFolder = (): string => join(dirname(workerProgram()), 'functions')

/** Folders of packages that functions may import: laid beside the worker, of the user's own image, or installed for all. */
export const packageFolders = (): readonly string[] => [
  '/lithops/node_modules',
  `${process.cwd()}/node_modules`,
  '/usr/local/lib/node_modules',
]
