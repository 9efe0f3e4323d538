const calls: string[] = []
function logged<T extends (...args: any[]) => any>(method: T, context: ClassMethodDecoratorContext) {
  const name = String(context.name)
  return function (this: unknown, ...args: Parameters<T>) {
    calls.push(name)
    return method.apply(this, args)
  } as T
}
function labelled(label: string) {
  return (Class: any, _: ClassDecoratorContext) => {
    Class.label = label
  }
}

@labelled('service')
class Service {
  factor = 2
  @logged double(x: number) {
    return x * this.factor
  }
}
const service = new Service()

export const cases = [
  { name: 'instance', fn: (x: number) => [service.double(x), calls], args: [4], expected: [8, ['double']] },
  { name: 'class', fn: () => [new Service().double(1), (Service as any).label], expected: [2, 'service'] },
]
