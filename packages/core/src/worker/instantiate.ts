import vm from 'node:vm'
import type { ClassTable } from '../codec/class-table.ts'
import type { NodeExtra } from '../codec/graph.ts'
import { GraphDecoder } from '../codec/graph-decoder.ts'
import { unpackGraph } from '../codec/graph-pack.ts'
import { ImportedClasses } from '../codec/imported-classes.ts'
import { ProtocolError } from '../errors/index.ts'

/** The default export of a shipped module: takes the helper and returns the function. */
export type ModuleFactory = (helper: FunctionHelper) => unknown

/** What capture puts beside the graph of captured values. */
export interface EnvironmentMeta {
  /** References of the captured variables, in the order of their setters. */
  readonly variables: readonly number[]
  /** Members that were added to the prototype of a function: index of the function, what to add. */
  readonly prototypes: readonly (readonly [number, NodeExtra])[]
  /** Static private fields: index of the class, then name and reference of each. */
  readonly staticPrivates: readonly (readonly [number, readonly (string | number)[]])[]
  /** Classes that travelled by value: index of the class, id. */
  readonly classes: readonly (readonly [number, string])[]
  /** Classes of imported modules: index of the known value, id. */
  readonly importedClasses: readonly (readonly [number, string])[]
}

/** What a shipped module calls while it builds its function. */
export interface FunctionHelper {
  /** True while an instance with private fields is made: its class must not run its own initializers. */
  readonly rv: boolean
  /** Takes the thunks of all functions; returns what makes each of them once. */
  fns(thunks: readonly (() => Function)[]): (index: number) => Function
  /** Takes the thunks of what the module imports, for their classes. */
  imports(thunks: readonly (() => unknown)[]): void
  /** Takes the thunks of values that both sides have. */
  refs(thunks: readonly (() => unknown)[]): void
  ref(index: number): unknown
  /** Takes the setters of the captured variables, and sets them. */
  vars(setters: readonly ((value: unknown) => void)[]): void
  /** A value of the graph. */
  get(ref: number): unknown
  /** Gives a function its name. */
  name(fn: Function, name: string): Function
  /** Takes the setter of a class's private fields. */
  priv(index: number, set: PrivateSetter): void
  /** Takes a function that must be made inside its class, for the sake of #private names. */
  host(index: number, make: () => Function): void
  hosted(index: number, home: number): Function
  /** Notes that instances of the class at `known` among the known values are made with their private fields. */
  imported(index: number, known: number): void
  /** Makes a function of sloppy code: `scope` has the live names that it uses. `file`, `line`, `column`: its origin. */
  sloppy(
    code: string,
    scope: object,
    helper: FunctionHelper,
    file: string,
    line: number,
    column: number,
  ): unknown
  /** The captured function. */
  done(): unknown
}

type PrivateSetter = (target: object, name: string, value: unknown) => void

/**
 * Where classes of bundled modules say how their private fields are set (function/revive-classes.ts adds the code that
 * does so). Global, as bundles know nothing else of the worker.
 */
interface Revival {
  /** An instance is being made: initializers and constructors must not run. */
  isOn: boolean
  readonly setters: WeakMap<Function, PrivateSetter>
}

const REVIVAL = Symbol.for('lithops:revival')
const globals = globalThis as unknown as { [REVIVAL]?: Revival }
globals[REVIVAL] ??= { isOn: false, setters: new WeakMap() }
const revival: Revival = globals[REVIVAL]

/** More arguments than any constructor destructures. */
const DUMMY_ARGUMENTS = 16

/** Makes a function of its module and its captured values. */
export function instantiateFunction(
  factory: ModuleFactory,
  environment: Uint8Array,
): { fn: Function; classes: ClassTable } {
  const helper = new Helper(environment)
  const fn = factory(helper)
  if (typeof fn !== 'function') throw new ProtocolError('The module of the function did not make a function.')
  return { fn, classes: helper.classTable() }
}

class Helper implements FunctionHelper {
  rv = false
  readonly #root: number
  readonly #meta: EnvironmentMeta
  readonly #decoder: GraphDecoder
  #thunks: readonly (() => Function)[] = []
  readonly #made: Function[] = []
  #known: readonly (() => unknown)[] = []
  #imports: readonly (() => unknown)[] = []
  readonly #privateSetters: PrivateSetter[] = []
  readonly #hosted: (() => Function)[] = []

  constructor(environment: Uint8Array) {
    const unpacked = unpackGraph(environment)
    this.#root = unpacked.root
    this.#meta = unpacked.meta as EnvironmentMeta
    this.#decoder = new GraphDecoder(unpacked, {
      function: this.#function,
      known: index => this.ref(index),
      construct: constructor => this.#construct(constructor),
      setPrivate: (owner, target, name, value) => this.#privateSetters[owner]?.(target, name, value),
    })
  }

  fns(thunks: readonly (() => Function)[]): (index: number) => Function {
    this.#thunks = thunks
    return this.#function
  }

  imports(thunks: readonly (() => unknown)[]): void {
    this.#imports = thunks
  }

  refs(thunks: readonly (() => unknown)[]): void {
    this.#known = thunks
  }

  ref(index: number): unknown {
    return this.#known[index]?.()
  }

  vars(setters: readonly ((value: unknown) => void)[]): void {
    setters.forEach((set, i) => {
      set(this.#decoder.get(this.#meta.variables[i] as number))
    })
    for (const [index, extra] of this.#meta.prototypes) {
      this.#decoder.extend(this.#function(index).prototype as object, extra)
    }
  }

  get(ref: number): unknown {
    return this.#decoder.get(ref)
  }

  name(fn: Function, name: string): Function {
    return Object.defineProperty(fn, 'name', { value: name, configurable: true })
  }

  priv(index: number, set: PrivateSetter): void {
    this.#privateSetters[index] = set
  }

  host(index: number, make: () => Function): void {
    this.#hosted[index] = make
  }

  hosted(index: number, home: number): Function {
    this.#function(home)
    const make = this.#hosted[index]
    if (make === undefined) throw new ProtocolError('The class of a function with #private names is missing.')
    return make()
  }

  imported(index: number, known: number): void {
    const setter = revival.setters.get(this.ref(known) as Function)
    if (setter === undefined) {
      throw new ProtocolError(
        'The module of the function does not let instances of an imported class be made.',
      )
    }
    this.#privateSetters[index] = setter
  }

  sloppy(
    code: string,
    scope: object,
    helper: FunctionHelper,
    file: string,
    line: number,
    column: number,
  ): unknown {
    const head = '(function($s, $h) { return '
    const script = new vm.Script(`${head}${code}\n})`, {
      filename: file,
      lineOffset: line - 1,
      columnOffset: column - 1 - head.length,
    })
    return script.runInThisContext()(scope, helper)
  }

  done(): unknown {
    for (const [index, fields] of this.#meta.staticPrivates) {
      const owner = this.#function(index)
      for (let i = 0; i < fields.length; i += 2) {
        this.#privateSetters[index]?.(owner, fields[i] as string, this.get(fields[i + 1] as number))
      }
    }
    const fn = this.get(this.#root)
    this.#decoder.finish()
    return fn
  }

  /** The classes by their ids, made when first asked for. */
  classTable(): ClassTable {
    let ids: Map<object, string> | undefined
    const prototypes = new Map<string, object>()
    const fill = (): Map<object, string> => {
      const found = new Map<object, string>()
      const add = (id: string, value: unknown) => {
        const prototype = (value as { prototype?: unknown } | undefined)?.prototype
        if (typeof prototype !== 'object' || prototype === null) return
        found.set(prototype, id)
        prototypes.set(id, prototype)
      }
      for (const [index, id] of this.#meta.importedClasses) add(id, this.ref(index))
      for (const [index, id] of this.#meta.classes) add(id, this.#function(index))
      return found
    }
    const imported = new ImportedClasses(this.#imports)
    return {
      idOf: prototype => {
        ids ??= fill()
        return ids.get(prototype) ?? imported.idOf(prototype)
      },
      prototypeOf: id => {
        ids ??= fill()
        return prototypes.get(id) ?? imported.prototypeOf(id)
      },
    }
  }

  readonly #function = (index: number): Function => {
    let fn = this.#made[index]
    if (fn === undefined) {
      const make = this.#thunks[index]
      if (make === undefined) throw new ProtocolError(`The module of the function has no function ${index}.`)
      fn = make()
      this.#made[index] = fn
    }
    return fn
  }

  /** An instance whose private fields exist and are empty; the user's constructor code does not run. */
  #construct(constructor: unknown): object {
    this.rv = true
    revival.isOn = true
    try {
      const made = Reflect.construct(constructor as Function, Array(DUMMY_ARGUMENTS).fill(ANYTHING)) as object
      for (const key of Reflect.ownKeys(made)) Reflect.deleteProperty(made, key)
      return made
    } finally {
      this.rv = false
      revival.isOn = false
    }
  }
}

/** Stands for any argument: whatever is read of it, called or iterated, it answers with itself. */
const ANYTHING: unknown = new Proxy(function anything() {}, {
  get: (_, key) => {
    if (key === Symbol.iterator) return endless
    return key === Symbol.toPrimitive ? () => 0 : ANYTHING
  },
  apply: () => ANYTHING,
  has: () => true,
  ownKeys: () => ['prototype'],
})

function* endless(): Generator<unknown> {
  for (;;) yield ANYTHING
}
