import assert from 'node:assert'
class HttpError extends Error {
  status: number
  readonly extra = { when: new Date(5) }
  constructor(message: string, status: number, options?: ErrorOptions) { super(message, options); this.status = status; this.name = 'HttpError' }
  get isRetryable() { return this.status >= 500 }
}
class NotFound extends HttpError { #secret = 1; constructor(message: string) { super(message, 404) } secret() { return this.#secret } }
class Several extends AggregateError { tag = 's' }
const captured = new HttpError('captured', 9, { cause: 'why' })
const is = (read: (error: any) => unknown, expected: unknown) => (error: any) => assert.deepStrictEqual(read(error), expected)
export const cases = [
  { name: 'a chain of causes', fn: () => { try { try { (null as any).x } catch (e) { throw new HttpError('mid', 500, { cause: e }) } } catch (e) { throw new Error('top', { cause: e }) } }, throws: is(e => [e.message, e.cause instanceof HttpError, e.cause.message, e.cause.status, e.cause.isRetryable, e.cause.extra.when.getTime(), e.cause.name, e.cause.cause instanceof TypeError], ['top', true, 'mid', 500, true, 5, 'HttpError', true]) },
  { name: 'several errors', fn: () => Promise.any([Promise.reject(new HttpError('a', 1)), Promise.reject(new RangeError('b'))]), throws: is(e => [e instanceof AggregateError, e.errors.map((x: any) => x.constructor.name), e.errors[0].status], [true, ['HttpError', 'RangeError'], 1]) },
  { name: 'several errors, own class', fn: () => { throw new Several([new Error('x')], 'many') }, throws: is(e => [e instanceof Several, e.tag, e.errors[0].message, e.message], [true, 's', 'x', 'many']) },
  { name: 'DOMException', fn: () => { throw new DOMException('aborted!', 'AbortError') }, throws: is(e => [e instanceof DOMException, e.name, e.code, e.message], [true, 'AbortError', 20, 'aborted!']) },
  { name: 'DOMException of another name', fn: () => structuredClone(() => 1), throws: is(e => [e instanceof DOMException, e.name, e.code], [true, 'DataCloneError', 25]) },
  { name: 'frozen', fn: () => { throw Object.freeze(new HttpError('f', 3)) }, throws: is(e => [e instanceof HttpError, e.status], [true, 3]) },
  { name: 'of the system', fn: async () => (await import('node:fs/promises')).readFile('/no/such'), throws: is(e => [e instanceof Error, e.code, e.syscall, e.path], [true, 'ENOENT', 'open', '/no/such']) },
  { name: 'of node:assert', fn: () => assert.strictEqual(1, 2), throws: is(e => [e instanceof assert.AssertionError, e.code, e.actual, e.expected, e.name], [true, 'ERR_ASSERTION', 1, 2, 'AssertionError']) },
  { name: 'with private fields', fn: () => { throw new NotFound('nf') }, throws: is(e => [e instanceof NotFound, e instanceof HttpError, e.status], [true, true, 404]) },
  { name: 'of an anonymous class', fn: () => { throw new (class extends TypeError {})('anon') }, throws: is(e => [e.message, e instanceof Error], ['anon', true]) },
  { name: 'a symbol', fn: () => { throw Symbol.for('x') }, throws: is(e => e, Symbol.for('x')) },
  { name: 'a function', fn: () => { throw () => 1 }, throws: is(e => [e.name, /function/.test(e.message)], ['CallError', true]) },
  { name: 'its own cause', fn: () => { const e: any = new Error('c'); e.self = e; e.cause = e; throw e }, throws: is(e => [e.self === e, e.cause === e], [true, true]) },
  { name: 'a message that throws', fn: () => { const e = new Error('x'); Object.defineProperty(e, 'message', { get() { throw new Error('ha') } }); throw e }, throws: is(e => e instanceof Error, true) },
  { name: 'without a prototype', fn: () => { const e = new Error('bare'); Object.setPrototypeOf(e, null); throw e }, throws: is(e => [e instanceof Error, e.message], [true, 'bare']) },
  { name: 'a long message', fn: () => { throw new Error('x'.repeat(1e6)) }, throws: is(e => e.message.length, 1e6) },
  { name: 'returned', fn: () => [new HttpError('r', 1), new RangeError('q')], check: is(([a, b]: any) => [a instanceof HttpError, a.status, b instanceof RangeError, b.message], [true, 1, true, 'q']) },
  { name: 'captured', fn: () => [captured instanceof HttpError, captured.message, captured.cause, captured.status, captured.name, typeof captured.stack], expected: [true, 'captured', 'why', 9, 'HttpError', 'string'] },
  { name: 'as an item', fn: (e: any) => [e instanceof TypeError, e.code, e.message, e.cause.message], args: [Object.assign(new TypeError('t', { cause: new Error('c') }), { code: 'X' })], expected: [true, 'X', 't', 'c'] },
]
