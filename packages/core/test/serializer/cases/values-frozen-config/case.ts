function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) deepFreeze(inner)
  return Object.freeze(value)
}
const config = deepFreeze({ aws: { region: 'eu', retries: [1, 2, { max: 3 }] }, tags: ['a'] })

export const cases = [
  {
    name: 'frozen to the leaves',
    fn: () => [Object.isFrozen(config.aws.retries[2]), Object.isFrozen(config.aws), config.aws.region],
    expected: [true, true, 'eu'],
  },
  {
    name: 'writes throw as at home',
    fn: () => {
      ;(config as any).aws.region = 'us'
    },
    throws: (error: any) => {
      if (!(error instanceof TypeError)) throw error
    },
  },
]
