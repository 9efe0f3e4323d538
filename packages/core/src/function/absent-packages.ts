import type { BuildFailure, ImportKind, Plugin } from 'esbuild'
import { ASKS } from './native-packages.ts'

const LATE_KINDS: readonly ImportKind[] = ['dynamic-import', 'require-call', 'require-resolve']

/** Whether a build failed for nothing but imports that lead nowhere. */
export function lacksModules(error: unknown): boolean {
  const { errors } = error as Partial<BuildFailure>
  return Array.isArray(errors) && errors.length > 0 && errors.every(isUnresolved)
}

function isUnresolved({ text }: { text: string }): boolean {
  return text.startsWith('Could not resolve')
}

/**
 * Packages load others that are not installed when they are first needed: optional peers, drivers of which one is used.
 * Those imports stay as they are, and fail where they are reached, as they do in the program. Slow, because esbuild asks
 * for every import: for builds that failed without it.
 */
export function leaveAbsentPackages(): Plugin {
  return {
    name: 'lithops-absent',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, async args => {
        const { path, kind, importer, resolveDir, pluginData } = args
        const isOfPackage = /[\\/]node_modules[\\/]/.test(importer)
        if (pluginData === ASKS || !isOfPackage || !LATE_KINDS.includes(kind)) return undefined
        const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: ASKS })
        return found.errors.some(isUnresolved) ? { path, external: true } : found
      })
    },
  }
}
