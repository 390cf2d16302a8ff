import type { Logger } from 'pino'
import { createCompiledOperations } from '../schema/compiled/operations.ts'
import { schema } from '../schema/schema.ts'
import { trustedDocuments } from '../schema/trusted-documents.ts'
import { createAuthenticator } from './auth/authenticate.ts'
import { signToken } from './auth/tokens.ts'
import { createChannels } from './channels/registry.ts'
import type { Config } from './config.ts'
import { type Database, openDatabase } from './db/client.ts'
import { startEmbedded } from './db/embedded.ts'
import { migrate } from './db/migrate.ts'
import { DEMO_SLUG, seedDemo } from './demo.ts'
import type { Deps } from './deps.ts'
import { createEventLog } from './events/event-log.ts'
import { createMemoryBus } from './events/memory-bus.ts'
import { createRedisBus } from './events/redis-bus.ts'
import { graphiqlPage } from './graphiql.ts'
import { createAttachmentHandler } from './http/attachments.ts'
import { createDirectReads } from './http/direct-reads.ts'
import { createGraphQL } from './http/graphql.ts'
import { graphqlHandler } from './http/graphql-handler.ts'
import { createHealth } from './http/health.ts'
import { maskError } from './http/mask-error.ts'
import { createMetrics } from './http/metrics.ts'
import { createPersistedDocuments } from './http/persisted-documents.ts'
import { createHttpServer } from './http/server.ts'
import { openSockets } from './http/sockets.ts'
import { createUploadHandler, staffUploads } from './http/uploads.ts'
import { createWebhookHandler } from './http/webhooks.ts'
import type { KeptRunner } from './jobs/runner.ts'
import { startWorker } from './jobs/worker.ts'
import { createSubscribe } from './live/subscribe.ts'
import { createRateLimits } from './rate-limits.ts'
import { createSecrets } from './secrets.ts'
import { openStorage } from './storage/open-storage.ts'

export type App = {
  /** Where it listens. */
  url: string
  deps: Deps
  /** A token for the demo organization; null where it cannot be made (production, or tokens of another issuer). */
  demoToken: () => Promise<string | null>
  /** No new work; requests and jobs in hand end, or are cut off after SHUTDOWN_SECONDS. */
  close(): Promise<void>
}

const WORKER_POOL = 4
/** That a job was taken up or has ended may be forgotten in a crash: it runs again, and finds what it has done. */
const WORKER_SETTINGS = '-c synchronous_commit=off'
/** Most of the time a delivery waits for its provider, and holds no connection. */
const WORKER_JOBS = 16
/** Of their own, so that many jobs leave the requests theirs. */
const JOBS_POOL = 6

type CleanUp = () => Promise<void> | void

/** Composition root: config → deps → server and worker. Throws ConfigError where a setting is the reason; leaves nothing running then. */
export async function startApp(config: Config, log: Logger, clock: Deps['clock'] = () => new Date()): Promise<App> {
  const cleanUps: CleanUp[] = []
  const close = async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) {
      try {
        await cleanUp()
      } catch (error) {
        log.error({ err: error }, 'a part did not close well')
      }
    }
  }
  try {
    return await compose({ ...config }, log, clock, cleanUps, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function compose(config: Config, log: Logger, clock: Deps['clock'], cleanUps: CleanUp[], close: () => Promise<void>): Promise<App> {
  const { storage, close: closeStorage } = await openStorage(config)
  cleanUps.push(closeStorage)
  const databaseUrl = config.DATABASE_URL ?? (await embeddedUrl(config, log, cleanUps))
  await migrate(databaseUrl, log)
  const database = openDatabase(databaseUrl, { max: config.DATABASE_POOL, log })
  cleanUps.push(() => database.close())
  const bus = config.REDIS_URL === undefined ? createMemoryBus() : createRedisBus(config.REDIS_URL, log)
  cleanUps.push(() => bus.close())

  const limits = createRateLimits(config.REDIS_URL, log)
  cleanUps.push(() => limits.close())

  const deps: Deps = {
    config,
    db: database.db,
    pool: database.pool,
    bus,
    channels: createChannels(config),
    secrets: createSecrets(config.ENCRYPTION_KEY),
    limits,
    storage,
    log,
    clock,
  }
  if (config.NODE_ENV !== 'production') await seedDemo(deps)

  const metrics = createMetrics()
  const events = createEventLog({ pool: deps.pool, bus, log, pollMs: config.POLL_SECONDS * 1000 })
  const authenticator = createAuthenticator(deps)
  const demoToken = () => tokenFor(config)
  const graphiql = config.GRAPHIQL ? graphiqlPage(demoToken) : null
  const documents = createPersistedDocuments(trustedDocuments)
  const yoga = createGraphQL(deps, {
    schema,
    authenticator,
    context: { events },
    subscribe: createSubscribe(events, (error) => maskError(log, error)),
    metrics,
    documents,
    graphiql,
  })
  const compiled = createCompiledOperations(schema)
  const reads = createDirectReads(deps, {
    authenticator,
    metrics,
    documents,
    answerCompiled: (parameters, viewer) =>
      compiled(parameters, { deps, events, viewer, visitor: null, client: { address: '', origin: null } }),
  })
  let worker: KeptRunner | null = null
  let shuttingDown = false
  const health = createHealth(deps, {
    worker: () => (config.WORKER === 'off' ? 'off' : worker?.healthy() === true ? null : 'stopped'),
    shuttingDown: () => shuttingDown,
  })
  observeState(deps, metrics, events)

  const operations = { '/health/live': health.live, '/health/ready': health.ready, '/metrics': metrics.handler }
  const uploads = createUploadHandler(deps, staffUploads(authenticator))
  const product = {
    '/graphql': graphqlHandler(config, yoga, reads),
    '/webhooks/': createWebhookHandler({ ...deps, metrics }),
    '/attachments/': createAttachmentHandler(deps),
    '/uploads': uploads,
    '/uploads/': uploads,
  }
  const server = createHttpServer({ config, log, metrics }, config.WORKER === 'only' ? operations : { ...operations, ...product })
  const { host, port } = await server.listen()
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  config.PUBLIC_URL ??= url
  const jobsDatabase = openDatabase(databaseUrl, { max: JOBS_POOL, log })
  cleanUps.push(() => jobsDatabase.close())
  const workerDatabase = openDatabase(databaseUrl, { max: WORKER_POOL, log, settings: WORKER_SETTINGS })
  cleanUps.push(() => workerDatabase.close())
  cleanUps.push(async () => {
    const deadlineMs = config.SHUTDOWN_SECONDS * 1000
    await Promise.all([server.close(deadlineMs), worker?.stop(deadlineMs)])
  })
  if (config.WORKER !== 'off') {
    worker = await startWorker(onConnectionsOf(jobsDatabase, deps), workerDatabase.pool, {
      concurrency: WORKER_JOBS,
      alone: config.DATABASE_URL === undefined,
      onSend: (provider, outcome) => metrics.sends.inc({ provider, outcome }),
      onDifference: ({ count }) => metrics.countDifferences.inc({ count }),
    })
  }
  cleanUps.push(() => {
    shuttingDown = true
    events.close()
  })
  if (config.WORKER !== 'only') {
    const sockets = openSockets(deps, { server: server.server, yoga, authenticator, metrics })
    // Before the event log ends, so that a client sees its socket close with 1001 instead of its subscriptions end well.
    cleanUps.push(() => sockets.close())
  }
  return { url, deps, demoToken, close }
}

/** The same with other connections, also where a part of `deps` is replaced later, as tests do. */
const onConnectionsOf = ({ db, pool }: Database, deps: Deps): Deps =>
  new Proxy(deps, { get: (target, key) => (key === 'db' ? db : key === 'pool' ? pool : Reflect.get(target, key)) })

async function embeddedUrl(config: Config, log: Logger, cleanUps: CleanUp[]): Promise<string> {
  const embedded = await startEmbedded({ dataDir: config.DATA_DIR, log })
  cleanUps.push(() => embedded.stop())
  return embedded.url
}

async function tokenFor(config: Config): Promise<string | null> {
  if (config.NODE_ENV === 'production' || config.AUTH_JWT_SECRET === undefined) return null
  return signToken({
    secret: config.AUTH_JWT_SECRET,
    organization: DEMO_SLUG,
    role: 'ADMIN',
    subject: 'demo-admin',
    name: 'Demo Admin',
    email: 'admin@demo.example',
    expiresIn: '12h',
  })
}

function observeState(deps: Deps, metrics: ReturnType<typeof createMetrics>, events: ReturnType<typeof createEventLog>): void {
  let counted = 0
  metrics.onScrape(async () => {
    const { reads, followers } = events.stats()
    metrics.eventReads.inc(reads - counted)
    counted = reads
    metrics.eventFollowers.set(followers)
  })
  metrics.onScrape(async () => {
    const { rows } = await deps.pool.query<{ n: number }>('SELECT count(*)::int AS n FROM graphile_worker.jobs WHERE run_at <= now()')
    metrics.outstandingJobs.set(rows[0]?.n ?? 0)
  })
}
