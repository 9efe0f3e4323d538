import type {
  Activation,
  ActivationReport,
  ComputeBackend,
  InvokeOptions,
} from '../driver/compute-backend.ts'

/** What the kit saw of one `invoke`. */
export interface ObservedInvoke {
  readonly activation: Activation
  readonly settled: Promise<PromiseSettledResult<ActivationReport>>
  isSettled: boolean
  repliesAfterEnd: number
}

/** The same backend, with every `invoke` written down; `change` may alter an activation on its way in. */
export function observeBackend(
  backend: ComputeBackend,
  change: (activation: Activation) => Activation = activation => activation,
): { readonly backend: ComputeBackend; readonly invokes: ObservedInvoke[] } {
  const invokes: ObservedInvoke[] = []
  const invoke = (given: Activation, options: InvokeOptions): Promise<ActivationReport> => {
    const activation = change(given)
    let seen: ObservedInvoke | undefined
    const result = backend.invoke(activation, {
      ...options,
      onReply: frames => {
        if (seen?.isSettled) seen.repliesAfterEnd++
        options.onReply(frames)
      },
    })
    const observed: ObservedInvoke = {
      activation,
      isSettled: false,
      repliesAfterEnd: 0,
      settled: Promise.allSettled([result]).then(([outcome]) => {
        observed.isSettled = true
        return outcome
      }),
    }
    seen = observed
    invokes.push(observed)
    return result
  }
  const observedBackend = new Proxy(backend, {
    get(target, property) {
      if (property === 'invoke') return invoke
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { backend: observedBackend, invokes }
}
