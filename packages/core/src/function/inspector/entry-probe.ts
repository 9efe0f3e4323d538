import type { ProbeCall } from '../source/probe-arguments.ts'
import { InspectorSession } from './inspector-session.ts'
import { realmOf } from './realm.ts'

/** Name of the global that takes the probe's answer while it runs. */
const ANSWER = '__lithops_answer__'

/**
 * Evaluates an expression where a function begins, for what is in none of its scopes: `this` of an arrow, variables
 * that are not initialized. The function is called and stopped at the first place where V8 can stop, before any call in
 * it; its body never runs. Nothing of the user's runs before that place, given the right arguments. Throws when V8 did
 * not stop.
 */
export function evaluateAtEntry(fn: Function, expression: string, { args, hasCode }: ProbeCall): unknown {
  const session = InspectorSession.get()
  session.startDebugging()
  const realm = realmOf(fn)
  const call = () => fn(...args)
  let answer: unknown
  let isAnswered = false
  let problem = 'it did not stop'
  Object.defineProperty(realm, ANSWER, {
    configurable: true,
    value: (value: unknown) => {
      answer = value
    },
  })
  // The breakpoint on the call of a function is at the first call in its code, which may be in a default that is not
  // evaluated for these arguments. So V8 stops at our own call, and takes a step into the function from there.
  const { breakpointId } = session.post<{ breakpointId: string }>('Debugger.setBreakpointOnFunctionCall', {
    objectId: session.handleOf(hasCode ? call : fn),
  })
  try {
    session.runUntilPaused(call, { isSteppingIn: hasCode }, frame => {
      try {
        const { exceptionDetails } = frame.evaluate(`${ANSWER}(${expression})`)
        if (exceptionDetails === undefined) isAnswered = true
        else problem = exceptionDetails.exception?.description ?? exceptionDetails.text
      } catch (error) {
        problem = (error as Error).message
      }
    })
  } finally {
    session.post('Debugger.removeBreakpoint', { breakpointId })
    delete (realm as unknown as Record<string, unknown>)[ANSWER]
  }
  if (!isAnswered) throw new Error(`The function could not be stopped where it begins: ${problem}.`)
  return answer
}
