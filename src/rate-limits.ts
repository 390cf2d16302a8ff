import { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'

/** At most `points` takes of one key within `seconds`. Limits are told apart by `name`. */
export type RateLimit = { name: string; points: number; seconds: number }

export type RateLimits = {
  /** null: taken. Otherwise nothing is left, and the answer is the milliseconds until there is. */
  take(limit: RateLimit, key: string): Promise<number | null>
  close(): void
}

const PREFIX = 'parley:limit'

/** Counts in Redis, for all processes together; in this process alone where there is no Redis, or while it is away. */
export function createRateLimits(redisUrl: string | undefined, log: Pick<Logger, 'warn' | 'info'>): RateLimits {
  const redis = redisUrl === undefined ? null : connect(redisUrl, log)
  const limiters = new Map<string, RateLimiterAbstract>()

  const limiterOf = ({ name, points, seconds }: RateLimit): RateLimiterAbstract => {
    const options = { keyPrefix: `${PREFIX}:${name}`, points, duration: seconds }
    const known = limiters.get(name) ?? made(redis, options)
    limiters.set(name, known)
    return known
  }

  return {
    async take(limit, key) {
      try {
        await limiterOf(limit).consume(key)
        return null
      } catch (refused) {
        if (refused instanceof RateLimiterRes) return refused.msBeforeNext
        throw refused
      }
    },
    close: () => redis?.disconnect(),
  }
}

function made(redis: Redis | null, options: { keyPrefix: string; points: number; duration: number }): RateLimiterAbstract {
  const memory = new RateLimiterMemory(options)
  if (redis === null) return memory
  return new RateLimiterRedis({ ...options, storeClient: redis, rejectIfRedisNotReady: true, insuranceLimiter: memory })
}

function connect(url: string, log: Pick<Logger, 'warn' | 'info'>): Redis {
  const redis = new Redis(url, {
    connectionName: 'parley-limits',
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    socketTimeout: 5_000,
    connectTimeout: 5_000,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000),
  })
  let away = false
  // The reason alone: ioredis puts the command that failed into its errors, and that of a refused login holds the password.
  redis.on('error', (error) => {
    if (!away) log.warn({ reason: error.message }, 'Redis is away: rates are limited by each process for itself')
    away = true
  })
  redis.on('ready', () => {
    if (away) log.info('Redis is back: rates are limited for all processes together')
    away = false
  })
  return redis
}
