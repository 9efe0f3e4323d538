export class CaptureError extends Error {
  readonly path?: readonly (string | number | symbol)[]
  readonly where?: string
}
export function capture(fn: Function, options: { readonly sourcemap: boolean }): unknown
export function explain(error: CaptureError, functionName: string): string
