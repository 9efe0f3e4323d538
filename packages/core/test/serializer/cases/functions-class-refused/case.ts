class Derived {
  constructor(public n: number) {}
}
export const fn = Derived
export const fails = /pass a function that calls it, e\.g\. x => new Derived\(x\)/
