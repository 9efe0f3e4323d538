import { CallHandle } from './call-handle.ts'

/** One call as users see it: a promise of its value, with what is known of it meanwhile. */
export class ResponseFuture<T> extends CallHandle<T> implements PromiseLike<T> {
  // The errors are `any` as in Promise, so that `catch(error => error.message)` compiles.
  // biome-ignore lint/suspicious/noThenProperty: a future is a PromiseLike, so that it can be awaited
  then<A = T, B = never>(
    onValue?: ((value: T) => A | PromiseLike<A>) | null,
    onError?: ((error: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.settled().then(onValue, onError)
  }

  catch<B = never>(onError?: ((error: any) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.settled().catch(onError)
  }

  finally(onEnd?: (() => void) | null): Promise<T> {
    return this.settled().finally(onEnd)
  }

  override get [Symbol.toStringTag](): string {
    return 'ResponseFuture'
  }
}
