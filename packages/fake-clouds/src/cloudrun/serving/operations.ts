import { randomUUID } from 'node:crypto'
import { refusals } from '../api/refusal.ts'

export interface Operation {
  readonly name: string
  readonly done: boolean
  readonly metadata?: object
  readonly response?: object
  readonly error?: { readonly code: number; readonly message: string }
}

/** Why an operation failed: a canonical code by number, and a message. */
export class OperationFailure extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** Long-running operations, which clients ask for until they are done. */
export class Operations {
  readonly #parent: string
  readonly #operations = new Map<string, Operation>()

  /** @param parent such as 'projects/p/locations/r' */
  constructor(parent: string) {
    this.#parent = parent
  }

  /**
   * Begins one that ends with what `act` resolves to, an object with its '@type'.
   *
   * @param metadata what is told of it meanwhile; with its '@type' too
   */
  begin(act: () => Promise<object>, metadata?: object): Operation {
    const name = `${this.#parent}/operations/${randomUUID()}`
    const told = metadata === undefined ? {} : { metadata }
    const begun: Operation = { name, ...told, done: false }
    this.#operations.set(name, begun)
    act().then(
      response => this.#operations.set(name, { name, ...told, done: true, response }),
      error => {
        const { code = 13, message } = error as Partial<OperationFailure> & Error
        this.#operations.set(name, { name, ...told, done: true, error: { code, message } })
      },
    )
    return begun
  }

  read(name: string): Operation {
    const found = this.#operations.get(name)
    if (found === undefined) throw refusals.notFound(`Operation '${name}'`)
    return found
  }
}
