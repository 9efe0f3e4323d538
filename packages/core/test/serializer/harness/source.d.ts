declare module 'lithops:source/codec/error.ts' {
  import type { ClassTable } from '../../../src/codec/class-table.ts'
  export function encodeError(thrown: unknown, classes?: ClassTable): Uint8Array
  export function decodeError(bytes: Uint8Array, classes?: ClassTable): unknown
}
declare module 'lithops:source/codec/value.ts' {
  import type { ClassTable } from '../../../src/codec/class-table.ts'
  export function encodeValue(value: unknown, classes?: ClassTable): Uint8Array
  export function decodeValue(bytes: Uint8Array, classes?: ClassTable): unknown
}
declare module 'lithops:source/function/index.ts' {
  import type { CapturedFunction } from '../../../src/function/captured-function.ts'
  export function captureFunction(fn: (...args: never[]) => unknown): CapturedFunction
}
declare module 'lithops:source/function/exported.ts' {
  export function exported<Fn>(fn: Fn, module: string | URL, name?: string): Fn
}
declare module 'lithops:source/worker/instantiate.ts' {
  import type { ClassTable } from '../../../src/codec/class-table.ts'
  export function instantiateFunction(
    factory: unknown,
    env: Uint8Array,
  ): { fn: Function; classes: ClassTable }
}
