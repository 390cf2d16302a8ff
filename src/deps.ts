import type pg from 'pg'
import type { Logger } from 'pino'
import type { ChannelRegistry } from './channels/channel.ts'
import type { Config } from './config.ts'
import type { PrismaClient } from './db/generated/client.ts'
import type { Bus } from './events/bus.ts'
import type { RateLimits } from './rate-limits.ts'
import type { Secrets } from './secrets.ts'
import type { Storage } from './storage/storage.ts'

/** What every use case takes first. */
export type Deps = {
  config: Config
  db: PrismaClient
  /** The same connections as `db`, for the hand-written statements of the hot paths. */
  pool: pg.Pool
  bus: Bus
  channels: ChannelRegistry
  secrets: Secrets
  limits: RateLimits
  storage: Storage
  log: Logger
  clock: () => Date
}
