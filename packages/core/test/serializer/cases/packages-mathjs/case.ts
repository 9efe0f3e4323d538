import { all, create, evaluate, matrix } from 'mathjs'
const math = create(all!)
export const cases = [
  { name: 'instance', fn: () => math.evaluate('sqrt(16) + 1'), expected: 5, warns: /math/ },
  { name: 'functions', fn: () => [evaluate('2 ^ 8'), matrix([[1, 2]]).size()], expected: [256, [1, 2]] },
]
