import { Animal } from './animal.ts'

export class Dog extends Animal {
  constructor(name: string) { super(name) }
  sound() { return 'woof' }
}
