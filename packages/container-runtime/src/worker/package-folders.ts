/** Folders of packages that functions may import: laid beside the worker, of the user's own image, or installed for all. */
export const packageFolders = (): readonly string[] => [
  '/lithops/node_modules',
  `${process.cwd()}/node_modules`,
  '/usr/local/lib/node_modules',
]
