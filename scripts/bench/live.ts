import { spawnSync } from 'node:child_process'
import { startRedis } from '../../test/support/redis.ts'
import { type Server, startFloor, startProduct } from './children.ts'
import { operation } from './graphql-request.ts'
import { compare, type Pair, type Row } from './measure.ts'
import type { Options } from './options.ts'
import { INBOUND_NUMBER, INBOUND_SLUGS, TWILIO } from './seed.ts'
import { type CleanUp, PUBLIC_URL, type World } from './world.ts'

const SOCKETS = [1_000, 5_000, 10_000]
const OUTSTANDING = 16
/** Few, so that most messages are of known customers and make two events: received, and the unread count. */
const SENDERS = 100
/** Of the two messages that an inbound message makes here: COMMUNICATION_RECEIVED, UNREAD_COUNT_CHANGED. */
const MESSAGE_BYTES = [520, 400]
/** With fewer, what a process allocates and gives back anyway is more than what they need. */
const MEASURABLE = 5_000
/** Open files that are not sockets of the measurement. */
const OTHER_FILES = 300

type Bus = { name: string; environment: Record<string, string> }

/** Events to sockets, at three sizes, by the bus of one process and by Redis where there is one; a tenth of the sockets below --size 0.05. */
export async function liveRows(world: World, options: Options, cleanUps: CleanUp[]): Promise<(Pair | (() => Promise<Row>))[]> {
  const sizes = SOCKETS.map((sockets) => (options.size < 0.05 ? sockets / 10 : sockets))
  checkOpenFiles(Math.max(...sizes))
  const buses: Bus[] = [{ name: 'memory', environment: {} }]
  if (spawnSync('redis-server', ['--version']).status === 0) {
    const redis = await startRedis()
    cleanUps.push(() => redis.stop())
    buses.push({ name: 'Redis', environment: { REDIS_URL: redis.url } })
  }
  if (options.profile !== null) return [await livePair(world, sizes[1] ?? 0, 'memory', world.product, world.floor)]
  return buses.flatMap((bus) => sizes.map((sockets) => () => liveRow(world, options, sockets, bus, cleanUps)))
}

/** On processes of its own, because memory that a process once had tells nothing of what it needs. */
async function liveRow(world: World, options: Options, sockets: number, bus: Bus, cleanUps: CleanUp[]): Promise<Row> {
  const settling = `--import=${new URL('settling-process.ts', import.meta.url).href}`
  const product = await startProduct({ ...world.environment, ...bus.environment, NODE_OPTIONS: settling })
  cleanUps.push(product.stop)
  const floor = await startFloor(world.environment.DATABASE_URL ?? '', '')
  cleanUps.push(floor.stop)
  const pair = await livePair(world, sockets, bus.name, product, floor)
  process.stderr.write(`  measuring: ${pair.name}\n`)
  const memory: number[] = []
  for (const [{ port, pid }, greetings] of [
    [product, await greetingsOf(world)],
    [floor, []],
  ] as const) {
    if (sockets >= MEASURABLE) memory.push(await world.client.run<number>({ kind: 'live-memory', port, pid, sockets, greetings }))
  }
  const row = await compare(world, pair, options)
  for (const [index, { numbers }] of row.entries.entries()) {
    const each = memory[index]
    if (each !== undefined) numbers.also = { 'KB a connection': each }
  }
  await Promise.all([product.stop(), floor.stop()])
  return row
}

/** Events made by webhooks, each pushed to every socket, against ready strings of the same sizes given to `ws`. */
async function livePair(world: World, sockets: number, bus: string, product: Server, floor: Server): Promise<Pair> {
  const [slug = ''] = INBOUND_SLUGS
  const source = {
    publicUrl: PUBLIC_URL,
    paths: [`/webhooks/twilio/${slug}/sms`],
    to: INBOUND_NUMBER,
    senders: SENDERS,
    ...TWILIO,
  }
  const common = { kind: 'live', sockets, outstanding: OUTSTANDING } as const
  const greetings = await greetingsOf(world)
  return {
    name: `live events to ${sockets.toLocaleString('en')} sockets, ${bus}`,
    unit: 'deliveries/s',
    product: {
      server: product,
      task: (seconds) => ({
        ...common,
        port: product.port,
        seconds,
        greetings,
        trigger: { webhooks: source, count: Math.ceil(seconds * 1000) + 200, last: '"UnreadCountChangedEvent"' },
      }),
    },
    floor: {
      server: floor,
      task: (seconds) => ({
        ...common,
        port: floor.port,
        seconds,
        greetings: [],
        trigger: { request: `GET /broadcast/${MESSAGE_BYTES} HTTP/1.1\r\nHost: bench\r\n\r\n`, messages: MESSAGE_BYTES.length },
      }),
    },
  }
}

async function greetingsOf(world: World): Promise<string[]> {
  const [slug = ''] = INBOUND_SLUGS
  const payload = { query: operation('InboxEvents'), operationName: 'InboxEvents', variables: {} }
  return [
    JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${await world.token(slug)}` } }),
    JSON.stringify({ type: 'subscribe', id: '1', payload }),
  ]
}

/** Server and client each have one for every socket. */
function checkOpenFiles(sockets: number): void {
  const { userLimits } = process.report.getReport() as unknown as { userLimits: { open_files: { soft: number | 'unlimited' } } }
  const { soft } = userLimits.open_files
  if (soft === 'unlimited' || soft >= sockets + OTHER_FILES) return
  throw new Error(
    `${sockets} sockets need ${sockets + OTHER_FILES} open files in a process, and \`ulimit -n\` is ${soft}: raise it, or leave live out`,
  )
}
