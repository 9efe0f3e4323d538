import { InspectorSession } from './inspector-session.ts'
import { realmOf } from './realm.ts'

/** Name of the global that takes the probe's answer while it runs. */
const ANSWER = '__lithops_answer__'

/**
 * Evaluates an expression where a function begins, for what is in none of its scopes: `this` of an arrow, variables
 * that are not initialized. The function is called and stopped at its first instruction; its body never runs, and its
 * parameters get a value that answers anything, so that defaults and destructuring run no code of the user's.
 */
export function evaluateAtEntry(fn: Function, expression: string, parameterCount: number): unknown {
  const session = InspectorSession.get()
  session.startDebugging()
  const realm = realmOf(fn)
  let answer: unknown
  let isAnswered = false
  let problem = 'it did not stop'
  Object.defineProperty(realm, ANSWER, {
    configurable: true,
    value: (value: unknown) => {
      answer = value
    },
  })
  const { breakpointId } = session.post<{ breakpointId: string }>('Debugger.setBreakpointOnFunctionCall', {
    objectId: session.handleOf(fn),
  })
  try {
    const args = new Array<unknown>(parameterCount).fill(ANYTHING)
    session.runUntilPaused(
      () => fn(...args),
      frame => {
        try {
          const { exceptionDetails } = frame.evaluate(`${ANSWER}(${expression})`)
          if (exceptionDetails === undefined) isAnswered = true
          else problem = exceptionDetails.exception?.description ?? exceptionDetails.text
        } catch (error) {
          problem = (error as Error).message
        }
      },
    )
  } finally {
    session.post('Debugger.removeBreakpoint', { breakpointId })
    delete (realm as unknown as Record<string, unknown>)[ANSWER]
  }
  if (!isAnswered) throw new Error(`The function could not be stopped where it begins: ${problem}.`)
  return answer
}

/** Whatever is read of it, or iterated, it answers with itself. */
const ANYTHING: unknown = new Proxy(() => {}, {
  get: (_, key) => {
    if (key === Symbol.iterator) return endless
    return key === Symbol.toPrimitive ? () => 0 : ANYTHING
  },
  has: () => true,
  ownKeys: () => ['prototype'],
})

function* endless(): Generator<unknown> {
  for (;;) yield ANYTHING
}
