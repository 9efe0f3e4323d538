import type { StorageDriver } from '@lithops/core/driver'
import { type RedisConfig, redisSection } from './config.ts'

export { type RedisConfig, redisSection }

/** Objects in a Redis server. */
export const storage: StorageDriver<RedisConfig> = {
  specVersion: 1,
  name: 'redis',
  config: redisSection,
  async create(config) {
    const { openRedis } = await import('./open-redis.ts')
    return openRedis(config)
  },
}
