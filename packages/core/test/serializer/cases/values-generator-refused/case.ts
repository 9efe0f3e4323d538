function* numbers() {
  yield 1
  yield 2
}
let running = numbers()
running.next()
running = running
let entries = new Map([[1, 2]]).entries()
entries = entries

export const cases = [
  { name: 'running generator', fn: () => running.next(), fails: /running cannot be copied because it is a (running )?generator/i },
  { name: 'iterator of a Map', fn: () => entries.next(), fails: /entries cannot be copied because it is an? .*iterator/i },
]
