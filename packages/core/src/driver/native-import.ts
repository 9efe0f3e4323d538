const imported = new Function('url', 'return import(url)') as (url: string) => Promise<unknown>

/**
 * Node's own `import()`, also in the CommonJS build, where the bundler would make it a `require`, which takes neither
 * URLs nor, on Node 20, ES modules. Test runners that load files in a context of their own have no such `import()` in
 * made functions; they do not run the CommonJS build, and the plain one works there.
 */
export async function nativeImport(url: string): Promise<unknown> {
  try {
    return await imported(url)
  } catch (error) {
    const code = (error as { readonly code?: unknown } | null)?.code
    if (code !== 'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING') throw error
    return import(/* @vite-ignore */ url)
  }
}
