import { operation } from './graphql-request.ts'
import type { Contender, Pair } from './measure.ts'
import { INBOUND_NUMBER, INBOUND_SLUGS, TWILIO } from './seed.ts'
import { PUBLIC_URL, type World } from './world.ts'

const CONNECTIONS = 32
const SENDERS = 20_000
/** More than any machine takes: a measurement that runs out of them ends early, and its rate is right all the same. */
const WEBHOOKS_PER_SECOND = 6_000
const SOCKETS = 1_000
const OUTSTANDING = 16

const source = (slugs: string[], path: (slug: string) => string) => ({
  publicUrl: PUBLIC_URL,
  paths: slugs.map(path),
  to: INBOUND_NUMBER,
  senders: SENDERS,
  ...TWILIO,
})

const productPath = (slug: string) => `/webhooks/twilio/${slug}/sms`

/** Signed SMS webhooks, against one statement that stores the same without checking anything. */
export function webhookPair(world: World, organizations: number): Pair {
  const slugs = INBOUND_SLUGS.slice(0, organizations)
  const contender = (server: World['product'], path: (slug: string) => string): Contender => ({
    server,
    task: (seconds) => ({
      kind: 'webhooks',
      port: server.port,
      connections: CONNECTIONS,
      seconds,
      source: source(slugs, path),
      count: Math.ceil(seconds * WEBHOOKS_PER_SECOND),
    }),
  })
  return {
    name: `inbound webhooks, ${organizations === 1 ? 'one organization' : `${organizations} organizations`}`,
    unit: 'messages/s',
    product: contender(world.product, productPath),
    floor: contender(world.floor, (slug) => `/webhooks/${slug}`),
  }
}

/** Events made by webhooks, each pushed to every socket, against a ready string of about the same size given to `ws`. */
export async function livePair(world: World): Promise<Pair> {
  const slug = INBOUND_SLUGS[0] ?? ''
  const payload = { query: await operation('live', 'CommunicationReceived'), operationName: 'CommunicationReceived', variables: {} }
  const greetings = [
    JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${await world.token(slug)}` } }),
    JSON.stringify({ type: 'subscribe', id: '1', payload }),
  ]
  const common = { kind: 'live', sockets: SOCKETS, outstanding: OUTSTANDING } as const
  return {
    name: `live events to ${SOCKETS.toLocaleString('en')} sockets`,
    unit: 'deliveries/s',
    product: {
      server: world.product,
      task: (seconds) => ({
        ...common,
        port: world.product.port,
        seconds,
        greetings,
        trigger: { webhooks: source([slug], productPath), count: Math.ceil(seconds * 1000) + 200 },
      }),
    },
    floor: {
      server: world.floor,
      task: (seconds) => ({
        ...common,
        port: world.floor.port,
        seconds,
        greetings: [],
        trigger: { request: `GET /broadcast/${MESSAGE_BYTES} HTTP/1.1\r\nHost: bench\r\n\r\n` },
      }),
    },
  }
}

/** Of a CommunicationReceived message of these webhooks. */
const MESSAGE_BYTES = 430
