declare const __LITHOPS_VERSION__: string | undefined

/** Version of this package; put in by the build. */
export const BACKEND_VERSION: string =
  typeof __LITHOPS_VERSION__ === 'string' ? __LITHOPS_VERSION__ : '0.0.0-source'
