declare const __LITHOPS_VERSION__: string | undefined

/** Version of @lithops/core; put in by the build. */
export const LITHOPS_VERSION: string =
  typeof __LITHOPS_VERSION__ === 'string' ? __LITHOPS_VERSION__ : '0.0.0-source'
