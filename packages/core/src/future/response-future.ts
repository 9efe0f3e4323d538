import { CallHandle } from './call-handle.ts'

/** One call as users see it: a promise of its value, with what is known of it meanwhile. */
export class ResponseFuture<T> extends CallHandle<T> implements PromiseLike<T> {
  // biome-ignore lint/suspicious/noThenProperty: a future is a PromiseLike, so that it can be awaited
  // biome-ignore-start lint/suspicious/noExplicitAny: as in Promise, so that `catch(error => error.message)` compiles
  then<A = T, B = never>(
    onValue?: ((value: T) => A | PromiseLike<A>) | null,
    onError?: ((error: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.settled().then(onValue, onError)
  }

  catch<B = never>(onError?: ((error: any) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.settled().catch(onError)
  }

  // biome-ignore-end lint/suspicious/noExplicitAny: end of the promise's methods

  finally(onEnd?: (() => void) | null): Promise<T> {
    return this.settled().finally(onEnd)
  }

  override get [Symbol.toStringTag](): string {
    return 'ResponseFuture'
  }
}
