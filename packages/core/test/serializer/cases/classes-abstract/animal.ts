export abstract class Animal {
  #secret: string
  protected constructor(protected readonly name: string) {
    this.#secret = `${name}-secret`
  }
  abstract sound(): string
  speak() { return `${this.name} says ${this.sound()}` }
  secretOf() { return this.#secret }
  static create<T>(this: new (name: string) => T, name: string): T { return new this(name) }
}
