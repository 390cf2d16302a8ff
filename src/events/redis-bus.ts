import { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Bus } from './bus.ts'
import { createListeners } from './listeners.ts'

const PREFIX = 'parley:'
const HEARTBEAT_MS = 10_000
const SILENCE_MS = 5_000
const CLOSE_MS = 3_000

/**
 * The doorbell between processes: one Redis channel a topic, whatever the number of local listeners. Does not wait for Redis.
 *
 * While Redis is away, rings are heard in this process only; each new connection rings every local topic, because rings may have
 * been lost. Commands are never queued: at most one PUBLISH a topic is under way, and a ring in the meantime is one more after it.
 */
export function createRedisBus(url: string, log: Pick<Logger, 'info' | 'warn' | 'error'>): Bus {
  const listeners = createListeners((error, topic) => log.error({ err: error, topic }, 'a listener of the bus threw'))
  const publisher = connect(url, 'publish', log)
  const subscriber = connect(url, 'subscribe', log)
  const publishing = new Map<string, { again: boolean }>()
  let closed = false
  let hearing = false
  const refused = new Set<string>()

  // What a lost connection fails is told by its own 'error' and 'close'; this is for what Redis does not allow, told once.
  const refusal = (command: string, connection: Redis, error: unknown) => {
    if (closed || connection.status !== 'ready' || refused.has(command)) return
    refused.add(command)
    log.error({ reason: reasonOf(error) }, `Redis refuses ${command}`)
  }

  // A ring between SUBSCRIBE and its answer may not be heard, so whoever waits is called once the channel is open.
  const open = async (topics: string[]) => {
    if (subscriber.status !== 'ready') return false
    try {
      if (topics.length > 0) await subscriber.subscribe(...topics.map((topic) => PREFIX + topic))
      refused.delete('SUBSCRIBE')
      for (const topic of topics) listeners.deliver(topic)
      return true
    } catch (error) {
      // Without a connection the next one opens everything again; a refusal is tried again by the heartbeat.
      refusal('SUBSCRIBE', subscriber, error)
      hearing = false
      return false
    }
  }

  const openAll = async () => {
    const opened = await open(listeners.topics())
    hearing = opened && subscriber.status === 'ready'
  }

  // Redis answers the commands of one connection in order: SUBSCRIBE, UNSUBSCRIBE, SUBSCRIBE end subscribed, whenever the answers come.
  const leave = (topic: string) => {
    if (closed || subscriber.status !== 'ready') return
    subscriber.unsubscribe(PREFIX + topic).catch((error) => refusal('UNSUBSCRIBE', subscriber, error))
  }

  const publish = async (topic: string) => {
    const state = { again: false }
    publishing.set(topic, state)
    try {
      do {
        state.again = false
        await publisher.publish(PREFIX + topic, '')
        refused.delete('PUBLISH')
      } while (state.again && !closed)
    } catch (error) {
      refusal('PUBLISH', publisher, error)
      listeners.deliver(topic)
    } finally {
      publishing.delete(topic)
    }
  }

  subscriber.on('ready', () => void openAll())
  subscriber.on('close', () => {
    hearing = false
  })
  subscriber.on('message', (channel: string) => listeners.deliver(channel.slice(PREFIX.length)))

  // Finds a connection that died without a word: no answer within SILENCE_MS closes it ('close' is logged), and ioredis connects anew.
  const heartbeat = setInterval(() => {
    for (const redis of [publisher, subscriber]) if (redis.status === 'ready') redis.ping().catch(() => undefined)
    if (!hearing) void openAll()
  }, HEARTBEAT_MS)
  heartbeat.unref()

  return {
    ring(topic) {
      if (closed) return
      const current = publishing.get(topic)
      if (current !== undefined) current.again = true
      else if (publisher.status === 'ready') void publish(topic)
      if (publisher.status !== 'ready' || !hearing) setImmediate(() => listeners.deliver(topic))
    },
    subscribe(topic, heard) {
      if (closed) return () => undefined
      const { first, remove } = listeners.add(topic, heard, () => leave(topic))
      if (first) void open([topic])
      return remove
    },
    healthy: () => hearing && publisher.status === 'ready',
    async close() {
      if (closed) return
      closed = true
      clearInterval(heartbeat)
      listeners.clear()
      publishing.clear()
      await Promise.all([disconnect(publisher), disconnect(subscriber)])
    },
  }
}

/** Not the error itself: ioredis puts the command that failed into it, and that of a refused login holds the password. */
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function connect(url: string, role: string, log: Pick<Logger, 'info' | 'warn'>): Redis {
  const redis = new Redis(url, {
    connectionName: `parley-${role}`,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    socketTimeout: SILENCE_MS,
    connectTimeout: SILENCE_MS,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000) + Math.random() * 100,
  })
  let away = false
  redis.on('error', (error) => {
    if (!away) log.warn({ reason: reasonOf(error), role }, 'Redis is away: rings are heard in this process only')
    away = true
  })
  redis.on('close', () => {
    if (!away && redis.status !== 'end') log.warn({ role }, 'Redis closed the connection: rings are heard in this process only')
    away = true
  })
  redis.on('ready', () => {
    if (away) log.info({ role }, 'Redis is back')
    away = false
  })
  return redis
}

/** At once where there is no connection; otherwise when it is closed, after CLOSE_MS at the latest. */
async function disconnect(redis: Redis): Promise<void> {
  const connected = redis.status === 'ready' || redis.status === 'connect'
  const ended = new Promise<void>((resolve) => {
    redis.once('end', resolve)
    setTimeout(resolve, CLOSE_MS).unref()
  })
  redis.disconnect()
  if (connected) await ended
}
