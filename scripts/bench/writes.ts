import type { Contender, Pair } from './measure.ts'
import { INBOUND_NUMBER, INBOUND_SLUGS, TWILIO } from './seed.ts'
import { PUBLIC_URL, type World } from './world.ts'

const CONNECTIONS = 32
const SENDERS = 20_000
/** More than any machine takes: a measurement that runs out of them ends early, and its rate is right all the same. */
const WEBHOOKS_PER_SECOND = 6_000

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
