/** The class of an import: the import's place among all, and the name under which the module or object has it. */
const ID = /^import:(\d+)(?::(.+))?$/s

/**
 * Classes of what a function imports. They are not listed beforehand, as a module may have hundreds of them: client
 * and worker have the same imports in the same order and look a class up when an instance comes along.
 */
export class ImportedClasses {
  readonly #imports: readonly (() => unknown)[]
  readonly #ids = new Map<object, string | undefined>()

  constructor(imports: readonly (() => unknown)[]) {
    this.#imports = imports
  }

  /** Id of the class with this prototype, or undefined. */
  idOf(prototype: object): string | undefined {
    if (!this.#ids.has(prototype)) this.#ids.set(prototype, this.#find(prototype))
    return this.#ids.get(prototype)
  }

  prototypeOf(id: string): object | undefined {
    const [, index, name] = ID.exec(id) ?? []
    if (index === undefined) return undefined
    const value = this.#imports[Number(index)]?.()
    return prototypeOfClass(name === undefined ? value : memberOf(value, name))
  }

  #find(prototype: object): string | undefined {
    for (const [index, read] of this.#imports.entries()) {
      const value = read()
      if (prototypeOfClass(value) === prototype) return `import:${index}`
      if (typeof value !== 'object' && typeof value !== 'function') continue
      for (const name of Object.keys(value ?? {})) {
        if (prototypeOfClass(memberOf(value, name)) === prototype) return `import:${index}:${name}`
      }
    }
    return undefined
  }
}

function prototypeOfClass(value: unknown): object | undefined {
  const prototype: unknown = typeof value === 'function' ? value.prototype : undefined
  return typeof prototype === 'object' && prototype !== null ? prototype : undefined
}

/** Exports may be accessors, which throw while their module is loading. */
function memberOf(value: unknown, name: string): unknown {
  try {
    return (value as Record<string, unknown> | undefined)?.[name]
  } catch {
    return undefined
  }
}
