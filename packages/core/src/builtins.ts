/**
 * Modules of Node that are slow to load and that no start needs: together some 10 ms of every client and every worker,
 * which is a tenth of a process with one call.
 */

export const nodeCrypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto')
export const nodeZlib = (): typeof import('node:zlib') => process.getBuiltinModule('node:zlib')
