class MyError extends Error {
  code = 7
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'MyError'
  }
  describe() { return `${this.name}/${this.code}` }
}
class Deeper extends MyError { #hidden = 'h'; hidden() { return this.#hidden } }
const captured = new MyError('q')
const expectMine = (error: any) => {
  if (!(error instanceof MyError)) throw new Error(`not MyError: ${error}`)
  if (error.describe() !== 'MyError/7' || error.message !== 'z') throw error
}

export const cases = [
  { name: 'captured', fn: () => [captured instanceof MyError, captured instanceof Error, captured.code, captured.message], expected: [true, true, 7, 'q'] },
  { name: 'thrown', fn: () => { throw new MyError('z') }, throws: expectMine },
  { name: 'thrown later', fn: async () => { await null; throw new MyError('z') }, throws: expectMine },
  { name: 'returned', fn: () => new MyError('z'), check: expectMine },
  { name: 'with a cause of its own class', fn: () => { throw new MyError('outer', { cause: new MyError('inner') }) }, throws: (error: any) => { if (!(error.cause instanceof MyError) || error.cause.describe() !== 'MyError/7') throw error } },
  // class and message arrive; private fields of an error stay where it was made
  { name: 'with a cause that has private fields', fn: () => { throw new MyError('outer', { cause: new Deeper('inner') }) }, throws: (error: any) => { if (!(error.cause instanceof Deeper) || error.cause.message !== 'inner') throw error } },
  { name: 'stack of the worker', fn: () => { throw new MyError('z') }, throws: (error: any) => { if (!/MyError: z|Error: z/.test(error.stack) || !/\n\s+at /.test(error.stack)) throw new Error(`odd stack: ${error.stack}`) } },
]
