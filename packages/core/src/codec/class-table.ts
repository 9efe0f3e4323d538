/**
 * The classes that travel with a function, by stable id, so that an instance keeps its own class on both sides
 * of the wire. An id is derived from what the class is (its source, or the module and export it comes from),
 * so two functions that captured the same class agree on it.
 */
export interface ClassTable {
  /** Id of the class whose `prototype` this is, or undefined when the class did not travel. */
  idOf(prototype: object): string | undefined
  /** The prototype object behind an id, or undefined when the class did not travel. */
  prototypeOf(id: string): object | undefined
}
