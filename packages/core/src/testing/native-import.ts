/**
 * Node's own `import()`, also in the CommonJS build, where the bundler would make it a `require`, which takes neither
 * modules nor URLs.
 */
export const nativeImport = new Function('url', 'return import(url)') as (url: string) => Promise<unknown>
