let count = 0
export const made = () => count
export class Base {
  #seed: number
  constructor(seed: number) { this.#seed = seed }
  seed() { return this.#seed }
}
export class Account {
  static readonly currency: string = 'EUR'
  readonly #deposits: number[] = []
  #owner = 'nobody'
  #log(amount: number) { this.#deposits.push(amount) }
  constructor(owner: string) { this.#owner = owner; count++ }
  deposit(amount: number) { this.#log(amount) }
  history() { return [...this.#deposits] }
  get owner() { return this.#owner }
  get balance() { return this.#sum() }
  #sum() { return this.#deposits.reduce((a, b) => a + b, 0) }
}
