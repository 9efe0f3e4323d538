/** Small deliberate mistakes of compute backends, each of which must fail the case named for it. */
import { describe, test } from 'vitest'
import type { Activation, InvokeOptions, RuntimeSpec } from '../../src/driver/compute-backend.ts'
import { InvocationError } from '../../src/errors/index.ts'
import { LocalhostBackend } from '../../src/localhost/localhost-backend.ts'
import { computeConformance, MemoryCompute, memoryStorage } from '../../src/testing/index.ts'
import { mustFail } from './harness.ts'

const timing = { callMs: 3_000, stopMs: 300, manyCalls: 40, timeoutMs: 300 }

const refused = () => new InvocationError('refused', { isRetryable: false })

/** The same bytes with one text in place of another of the same length. */
function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const copy = Buffer.from(bytes)
  for (let at = copy.indexOf(from); at >= 0; at = copy.indexOf(from, at + 1)) copy.write(to, at)
  return copy
}

/** Passes on only those activations that it likes. */
const refusing = (isRefused: (activation: Activation, inFlight: number) => boolean) =>
  class extends MemoryCompute {
    #inFlight = 0
    override async invoke(activation: Activation, options: InvokeOptions) {
      if (isRefused(activation, this.#inFlight)) throw refused()
      this.#inFlight++
      try {
        return await super.invoke(activation, options)
      } finally {
        this.#inFlight--
      }
    }
  }

/** Has a limit for replies, and drops those that tell of something too large. */
class ShyOfSizes extends MemoryCompute {
  constructor() {
    super({ maxReplyBytes: 100_000 })
  }
  override invoke(activation: Activation, options: InvokeOptions) {
    const onReply = (frames: Uint8Array) => {
      if (!/TOO_LARGE|e{100}/.test(Buffer.from(frames).toString('latin1'))) options.onReply(frames)
    }
    return super.invoke(activation, { ...options, onReply })
  }
}

class OfAnotherVersion extends MemoryCompute {
  override readonly specVersion = 2 as never
}

const mistakes: Record<
  string,
  {
    readonly fails: string
    readonly Compute: new () => MemoryCompute | LocalhostBackend
    readonly hasStorage?: boolean
  }
> = {
  'runs nothing': { fails: 'runs a call and gives its value', Compute: refusing(() => true) },
  'has had enough after one refusal': {
    fails: 'an input over the payload limit goes through storage, or is refused, and the next call works',
    Compute: refusing(activation => activation.jobId !== 'A000'),
  },
  'is of another version': {
    fails: 'has a name, the contract version and capabilities that fit together',
    Compute: OfAnotherVersion,
  },
  'cannot be used at all': { fails: 'a map of nothing gives nothing', Compute: OfAnotherVersion },
  'takes one call at a time': {
    fails: 'takes activations of several calls',
    Compute: refusing(activation => activation.callIds.length > 1),
  },
  'knows no reducers': {
    fails: 'map and reduce',
    Compute: refusing(activation => activation.jobId.startsWith('R')),
  },
  'takes fewer activations than it says': {
    fails: 'has no more activations at once than it says',
    Compute: refusing((_, inFlight) => inFlight > 2),
  },
  'serves the first executor only': {
    fails: 'serves several jobs and executors at once',
    Compute: class extends MemoryCompute {
      #first: string | undefined
      override async invoke(activation: Activation, options: InvokeOptions) {
        this.#first ??= activation.executorId
        if (activation.executorId !== this.#first) throw refused()
        return super.invoke(activation, options)
      }
    },
  },
  'takes nothing from storage': {
    fails: 'inputs, captured values and extra arguments over the payload limit arrive through storage',
    hasStorage: true,
    Compute: refusing(() => true),
  },
  'drops the error of a result that is too large': {
    fails: 'a result over the reply limit goes through storage, or is the error of its call',
    Compute: ShyOfSizes,
  },
  'drops errors that had to be shortened': {
    fails: 'errors and logs of any size fit into the reply',
    Compute: ShyOfSizes,
  },
  'rewrites replies': {
    fails: "a function's error arrives with its class and message, and hurts no other call",
    Compute: class extends MemoryCompute {
      override invoke(activation: Activation, options: InvokeOptions) {
        const onReply = (frames: Uint8Array) => options.onReply(replaced(frames, 'odd: 3', 'odd: 9'))
        return super.invoke(activation, { ...options, onReply })
      }
    },
  },
  'tells workers of another job': {
    fails: 'the context of a call tells its ids and its deadline',
    Compute: class extends MemoryCompute {
      override invoke(activation: Activation, options: InvokeOptions) {
        const payload = replaced(activation.payload, '"jobId":"M', '"jobId":"X')
        return super.invoke({ ...activation, payload }, options)
      }
    },
  },
  'tells workers no timeout': {
    fails: 'a call over its timeout ends with CallTimeoutError, and the next call works',
    Compute: class extends MemoryCompute {
      override invoke(activation: Activation, options: InvokeOptions) {
        const payload = replaced(activation.payload, '"timeoutMs"', '"timeoutXX"')
        return super.invoke({ ...activation, payload }, options)
      }
    },
  },
  'deploys once only': {
    fails: 'deploys a runtime, any number of times and at once, and tells what it is',
    Compute: class extends MemoryCompute {
      #isDeployed = false
      override async deployRuntime(runtime: RuntimeSpec) {
        if (this.#isDeployed) throw new Error('409 Conflict')
        this.#isDeployed = true
        return super.deployRuntime(runtime)
      }
    },
  },
  'has no watch on busy calls': {
    fails: 'a call that never lets go is ended at its timeout',
    Compute: class extends LocalhostBackend {
      override invoke(activation: Activation, options: InvokeOptions) {
        return super.invoke({ ...activation, callTimeoutMs: Number.POSITIVE_INFINITY }, options)
      }
    },
  },
  'does not say that a worker was lost': {
    fails: 'a worker that exits is recognised, and hurts no other call',
    Compute: class extends LocalhostBackend {
      override async invoke(activation: Activation, options: InvokeOptions) {
        return super.invoke(activation, options).catch(() => Promise.reject(new Error('502 Bad Gateway')))
      }
    },
  },
  'gives a used worker for a fresh one': {
    fails: 'a worker that is asked for fresh has run nothing before',
    Compute: class extends LocalhostBackend {
      override invoke(activation: Activation, options: InvokeOptions) {
        return super.invoke({ ...activation, freshWorker: false }, options)
      }
    },
  },
  'throws when it prepares after its end': {
    fails: 'prepare never throws',
    Compute: class extends LocalhostBackend {
      #isClosed = false
      override prepare(runtime: RuntimeSpec, workers?: number) {
        if (this.#isClosed) throw new Error('closed')
        super.prepare(runtime, workers)
      }
      override async close() {
        this.#isClosed = true
        await super.close()
      }
    },
  },
}

describe('the compute kit catches a backend that', () => {
  test.each(Object.entries(mistakes))('%s', (_, { fails, Compute, hasStorage }) =>
    mustFail(
      kitTest =>
        computeConformance({
          test: kitTest,
          timing,
          createBackend: () => new Compute(),
          ...(hasStorage === true ? { executorOptions: { storage: memoryStorage() } } : {}),
        }),
      `compute: ${fails}`,
    ),
  )
})
