const compose = <T,>(...fs: ((x: T) => T)[]) => (x: T) => fs.reduceRight((y, f) => f(y), x)
const curry = (f: Function): any => { const next = (...a: any[]): any => (a.length >= f.length ? f(...a) : (...b: any[]) => next(...a, ...b)); return next }
const partial = (f: Function, ...fixed: any[]) => (...rest: any[]) => f(...fixed, ...rest)
const pipeline = compose<number>(x => x + 1, x => x * 10, x => x - 3)
const add3 = curry((a: number, b: number, c: number) => a + b + c)
const y = (f: any): any => ((x: any) => f((v: any) => x(x)(v)))((x: any) => f((v: any) => x(x)(v)))
const factorial = y((self: any) => (n: number) => (n < 2 ? 1 : n * self(n - 1)))

export const cases = [
  { name: 'compose', fn: pipeline, args: [5], expected: 21 },
  { name: 'curry', fn: () => [add3(1)(2)(3), add3(1, 2)(3)], expected: [6, 6] },
  { name: 'curried half way', fn: add3(1)(2), args: [4], expected: 7 },
  { name: 'partial', fn: partial(Math.max, 5), args: [3], expected: 5 },
  { name: 'fixed point', fn: factorial, args: [5], expected: 120 },
]
