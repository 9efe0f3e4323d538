import { Animal } from './animal.ts'
import { Dog } from './dog.ts'

class Puppy extends Dog {
  #toys = ['ball']
  override sound() { return `small ${super.sound()}` }
  toys() { return [...this.#toys] }
}
const rex = new Puppy('Rex')

export const cases = [
  { name: 'instance over three files', fn: () => [rex.speak(), rex.toys(), rex.secretOf(), rex instanceof Animal], expected: ['Rex says small woof', ['ball'], 'Rex-secret', true] },
  { name: 'made on the worker', fn: () => new Puppy('Bo').speak(), expected: 'Bo says small woof' },
  { name: 'static inheritance', fn: () => [Puppy.create('Z').speak(), Puppy.create('Z') instanceof Puppy], expected: ['Z says small woof', true] },
]
