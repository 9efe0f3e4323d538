/**
 * A value as a graph: nodes refer to each other by index, so that cycles and shared references survive. Small negative
 * references stand for values that JSON cannot carry. A primitive node is the primitive; all else is an array:
 *
 *     ['n', digits]            BigInt
 *     ['y', description]       symbol; ['yw', name] well-known, ['yf', key] of the global registry
 *     ['o', extra?]            object
 *     ['a', [refs], extra?]    array; ['as', length, extra?] sparse or with a prototype of its own
 *     ['d', time, extra?]      Date; ['r', source, flags, lastIndex, extra?] RegExp
 *     ['m', [k, v, …], extra?] Map; ['s', [refs], extra?] Set; ['wm', …], ['ws', …] their weak kin
 *     ['ab', buffer, extra?]   ArrayBuffer ('sb' shared); ['tb', class, buffer, extra?] view with bytes of its own; ['tv', class, ref, offset, length, extra?]
 *     ['e', class, extra?]     error; ['bx', ref, extra?] boxed primitive; ['ag', [refs]] arguments; ['u', href, extra?] URL; ['us', text, extra?]; ['dx', message, name] DOMException
 *     ['c', classId]           prototype object of a class of the ClassTable; ['cc', classId] the class itself
 *     ['F', index, extra?]     function; ['B', target, this, [args]] bound function; ['R', index] known value;
 *     ['P', ref]               prototype object of a function; ['V', class, [owner, name, value, …], extra?] with private fields
 *
 * `extra` is an object with any of p: [key, value, …] own properties, q: prototype, t: [[position in p, flags, get, set,
 * has value], …] attributes, x: 1 not extensible, 2 sealed, 3 frozen.
 */
export type GraphNode = unknown[]

/** What an object has beside its kind. */
export interface NodeExtra {
  p?: number[]
  q?: number
  t?: [number, number, number, number, number][]
  x?: number
}

export interface Graph {
  readonly nodes: unknown[]
  readonly buffers: Uint8Array[]
}

/** References that stand for values themselves. */
export const CONSTANTS = [
  undefined,
  undefined,
  Symbol('hole'),
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -0,
]

export const UNDEFINED_REF = -1

/** Flags of a property's attributes. */
export const WRITABLE = 1
export const ENUMERABLE = 2
export const CONFIGURABLE = 4

/** Own properties of errors that are not enumerable. */
export const HIDDEN_OF_ERRORS: ReadonlySet<unknown> = new Set(['stack', 'message', 'cause', 'errors'])
