import type inspector from 'node:inspector'
import vm from 'node:vm'
import { inspectorModule } from '../lazy-modules.ts'

/** Captures whose handles V8 may hold at once: releasing is a trip to the inspector, and captures come in loops. */
const HELD_CAPTURES = 128

const OBJECT_GROUP = 'lithops'
/** V8 keeps what it tells of a pause in a group of its own. */
const PAUSE_GROUP = 'backtrace'
const CONTEXT_NAME = 'lithops-capture'
/** Steps from the statement that calls a function into that function. */
const MAX_STEPS = 2

/** What V8 tells of a script when it has parsed it. */
export interface ScriptFacts {
  readonly scriptId: string
  readonly url: string
  readonly startLine: number
  readonly startColumn: number
  readonly isModule?: boolean
  readonly sourceMapURL?: string
}

/** A value on the other side of the inspector. */
export interface RemoteValue {
  readonly type: string
  readonly value?: unknown
  readonly unserializableValue?: string
  readonly objectId?: string
  readonly description?: string
}

/** A property as the inspector lists it. */
export interface RemoteProperty {
  readonly name: string
  readonly value?: RemoteValue
  readonly get?: RemoteValue
  readonly set?: RemoteValue
}

/**
 * V8's inspector, asked from the thread that it looks at: every command that capture uses ends before `post` returns,
 * which is what makes capture synchronous. Values go in and come out through the global of a context of our own, so
 * that the user's globals stay untouched.
 */
export class InspectorSession {
  static #current: InspectorSession | undefined

  /** The session of this thread. The first call connects, which takes some milliseconds. */
  static get(): InspectorSession {
    InspectorSession.#current ??= new InspectorSession()
    return InspectorSession.#current
  }

  /** Why there is no inspector that answers at once, as the middle of a sentence; undefined where there is one. */
  static whyMissing(): string | undefined {
    if (InspectorSession.#missing === undefined) {
      try {
        InspectorSession.get()
        InspectorSession.#missing = ''
      } catch (error) {
        InspectorSession.#missing = reasonOf(error)
      }
    }
    return InspectorSession.#missing || undefined
  }

  static #missing: string | undefined

  readonly #session = new (inspectorModule().Session)()
  readonly #scripts = new Map<string, ScriptFacts>()
  readonly #box: { in: unknown; out: unknown } = { in: undefined, out: undefined }
  readonly #contextId: number
  readonly #handOver: string
  #isDebugging = false
  #heldCaptures = 0
  #isHolding = false
  #hasPaused = false
  #idling: NodeJS.Immediate | undefined

  private constructor() {
    this.#session.connect()
    try {
      this.#contextId = this.#createContext()
    } catch (error) {
      this.#session.disconnect()
      throw error
    }
    this.#session.on('Debugger.scriptParsed', ({ params }) => {
      this.#scripts.set(params.scriptId, params as ScriptFacts)
    })
    // not in the object group: it lives as long as the session
    this.#handOver = this.post<{ result: { objectId: string } }>('Runtime.evaluate', {
      contextId: this.#contextId,
      expression: '(value => { this.out = value })',
    }).result.objectId
  }

  #createContext(): number {
    let id: number | undefined
    const note = ({
      params,
    }: inspector.InspectorNotification<inspector.Runtime.ExecutionContextCreatedEventDataType>) => {
      if (params.context.name === CONTEXT_NAME) id = params.context.id
    }
    this.#session.on('Runtime.executionContextCreated', note)
    this.post('Runtime.enable')
    vm.createContext(this.#box, { name: CONTEXT_NAME })
    this.post('Runtime.disable')
    this.#session.off('Runtime.executionContextCreated', note)
    if (id === undefined) throw new Error('V8 announced no context for capture.')
    return id
  }

  /** Runs one command and returns its answer. */
  post<Answer = unknown>(method: string, params: object = {}): Answer {
    let answer: Answer | undefined
    let failure: Error | null | undefined
    this.#session.post(method, params as never, (error: Error | null, result: unknown) => {
      failure = error
      answer = result as Answer
    })
    if (failure)
      throw new Error(`V8's inspector refused ${method}: ${failure.message ?? JSON.stringify(failure)}`)
    if (failure === undefined) throw new Error(`V8's inspector did not finish ${method} at once.`)
    return answer as Answer
  }

  /** A handle for a value of this process. */
  handleOf(value: unknown): string {
    this.#isHolding = true
    this.#box.in = value
    try {
      const { result } = this.post<{ result: RemoteValue }>('Runtime.evaluate', {
        contextId: this.#contextId,
        expression: 'this.in',
        objectGroup: OBJECT_GROUP,
        silent: true,
      })
      return result.objectId as string
    } finally {
      this.#box.in = undefined
    }
  }

  /** The value behind a remote one. */
  valueOf(remote: RemoteValue): unknown {
    if (remote.objectId !== undefined) return this.#take(remote.objectId)
    if (remote.type === 'undefined') return undefined
    const { unserializableValue: text } = remote
    if (text === undefined) return remote.value
    return remote.type === 'bigint' ? BigInt(text.slice(0, -1)) : Number(text)
  }

  #take(objectId: string): unknown {
    this.post('Runtime.callFunctionOn', {
      objectId: this.#handOver,
      functionDeclaration: 'function (value) { this(value) }',
      arguments: [{ objectId }],
      silent: true,
    })
    const value = this.#box.out
    this.#box.out = undefined
    return value
  }

  /** Internal and private properties of a value, e.g. `[[Scopes]]` of a function. */
  propertiesOf(value: unknown): { internal: readonly RemoteProperty[]; private: readonly RemoteProperty[] } {
    const { internalProperties = [], privateProperties = [] } = this.post<{
      internalProperties?: RemoteProperty[]
      privateProperties?: RemoteProperty[]
    }>('Runtime.getProperties', { objectId: this.handleOf(value), ownProperties: true })
    return { internal: internalProperties, private: privateProperties }
  }

  /** What V8 knows of a script, or undefined. */
  scriptFacts(scriptId: string): ScriptFacts | undefined {
    if (!this.#scripts.has(scriptId)) {
      // enabling announces all scripts there are
      this.#stopDebugging()
      this.startDebugging()
    }
    return this.#scripts.get(scriptId)
  }

  /** The text that V8 runs: JavaScript, whatever the user wrote it in. */
  sourceOf(scriptId: string): string {
    this.startDebugging()
    return this.post<{ scriptSource: string }>('Debugger.getScriptSource', { scriptId }).scriptSource
  }

  startDebugging(): void {
    if (this.#isDebugging) return
    this.post('Debugger.enable')
    this.#isDebugging = true
  }

  #stopDebugging(): void {
    if (!this.#isDebugging) return
    this.post('Debugger.disable')
    this.#isDebugging = false
  }

  /**
   * Ends a capture. The debugger is switched off in the next turn of the event loop, not at once: a loop of captures
   * would pay for switching each time. Left on, it makes every await and every throw of the program slower.
   */
  rest(): void {
    if (!this.#isHolding && !this.#isDebugging) return
    this.#heldCaptures++
    if (this.#heldCaptures >= HELD_CAPTURES) this.#release()
    this.#idling ??= setImmediate(() => {
      this.#idling = undefined
      this.#release()
      this.#stopDebugging()
    })
  }

  #release(): void {
    this.#heldCaptures = 0
    this.#isHolding = false
    this.post('Runtime.releaseObjectGroup', { objectGroup: OBJECT_GROUP })
    if (!this.#hasPaused) return
    this.#hasPaused = false
    this.post('Runtime.releaseObjectGroup', { objectGroup: PAUSE_GROUP })
  }

  /**
   * Calls `run`, and `paused` with the frame of a function when V8 stops in it: at a breakpoint in the function, or, with
   * `isSteppingIn`, at the first place that it comes to from a breakpoint in `run`, which must call the function. The call
   * is given up after that: nothing behind the place runs.
   */
  runUntilPaused(
    run: () => void,
    { isSteppingIn }: { readonly isSteppingIn: boolean },
    paused: (frame: PausedFrame) => void,
  ): void {
    let outerFrames: number | undefined
    let steps = 0
    const onPaused = ({
      params: { callFrames },
    }: inspector.InspectorNotification<inspector.Debugger.PausedEventDataType>) => {
      this.#hasPaused = true
      outerFrames ??= isSteppingIn ? callFrames.length : callFrames.length - 1
      // a step may lead further in, to what the function calls first
      const frame = callFrames[callFrames.length - outerFrames - 1]
      if (frame === undefined && steps < MAX_STEPS) {
        steps++
        this.#session.post('Debugger.stepInto', () => {})
        return
      }
      if (frame !== undefined) {
        paused({
          evaluate: expression =>
            this.post('Debugger.evaluateOnCallFrame', {
              callFrameId: frame.callFrameId,
              expression,
              objectGroup: OBJECT_GROUP,
              silent: true,
            }),
        })
      }
      // The last word: it unwinds the stack to the Runtime.evaluate below, whose end cancels the termination.
      this.#session.post('Runtime.terminateExecution', () => {})
    }
    this.#session.on('Debugger.paused', onPaused)
    this.#box.in = run
    try {
      const params = {
        contextId: this.#contextId,
        expression: 'this.in(); 0',
        objectGroup: OBJECT_GROUP,
        silent: true,
      }
      this.#session.post('Runtime.evaluate', params, () => {})
    } finally {
      this.#box.in = undefined
      this.#session.off('Debugger.paused', onPaused)
    }
  }
}

function reasonOf(error: unknown): string {
  const { code } = error as { code?: string }
  if (code === 'ERR_ACCESS_DENIED') {
    return "Node's permission model keeps it from V8's inspector (some versions have --allow-inspector)"
  }
  const runtime = process.versions.bun === undefined ? `this Node (${process.version})` : 'Bun'
  return `${runtime} has no inspector that answers at once`
}

export interface PausedFrame {
  evaluate(expression: string): {
    readonly exceptionDetails?: { readonly text: string; readonly exception?: RemoteValue }
  }
}
