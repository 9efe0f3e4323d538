/**
 * What the client loads when it is first needed. All of it stands here, and the build makes this a small file of its
 * own: loaders such as tsx rewrite every file that has an `import()` in it, and doing so with the whole package took
 * half of the time and 50 MB of the memory of importing it.
 */

export const importCliProgress = () => import('cli-progress')
export const importDriverLoader = () => import('./driver/load.ts')
export const importEsbuild = () => import('esbuild')
export const importFallbackMonitor = () => import('./monitor/fallback-monitor.ts')
export const importHyparquet = () => import('hyparquet')
export const importMetaResolve = () => import('import-meta-resolve')
export const importPicomatch = () => import('picomatch')
export const importStorageMonitor = () => import('./monitor/storage-monitor.ts')

/** A module of the user's, by its URL. */
export const importUrl = (url: string): Promise<unknown> => import(/* @vite-ignore */ url)
