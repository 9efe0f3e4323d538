/**
 * For a class with `[Symbol.asyncDispose]`: contexts of node:vm on Node 20 (vitest's vm pools) have no such symbol, and
 * the method got the name `undefined`. There it is moved to the registered symbol, for which `await using` looks as
 * transpilers write it.
 */
export function ensureAsyncDispose(type: { readonly prototype: AsyncDisposable }): void {
  if (Symbol.asyncDispose !== undefined) return
  const members = type.prototype as unknown as Record<string, unknown>
  Object.defineProperty(members, Symbol.for('Symbol.asyncDispose'), {
    value: members.undefined,
    configurable: true,
    writable: true,
  })
  delete members.undefined
}
