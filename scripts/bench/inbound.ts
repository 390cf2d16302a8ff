import type { Contender, Pair } from './measure.ts'
import { INBOUND_NUMBER, INBOUND_SLUGS, TWILIO } from './seed.ts'
import type { WebhookSource } from './webhook-requests.ts'
import { PUBLIC_URL, type World } from './world.ts'

/** More than any machine takes: a measurement that runs out of them ends early, and its rate is right all the same. */
const WEBHOOKS_PER_SECOND = 6_000
const SENDERS = 20_000

/** Signed SMS webhooks to these organizations in turn. */
export const inboundSource = (slugs: string[], path: (slug: string) => string): WebhookSource => ({
  publicUrl: PUBLIC_URL,
  paths: slugs.map(path),
  to: INBOUND_NUMBER,
  senders: SENDERS,
  ...TWILIO,
})

export const webhookPath = (slug: string): string => `/webhooks/twilio/${slug}/sms`

type Shape = { name: string; organizations: number; connections: number; senders?: 'new' }

/**
 * Ungrouped: one connection, so that no webhook can share another one's statement; in the end, because it takes too few for the server's code to get
 * warm. The floor has a statement and a commit for each, always.
 */
const SHAPES: readonly Shape[] = [
  { name: 'one organization, 32 connections', organizations: 1, connections: 32 },
  { name: 'one organization, 64 connections', organizations: 1, connections: 64 },
  { name: '16 organizations, 32 connections', organizations: 16, connections: 32 },
  { name: 'one organization, 128 connections', organizations: 1, connections: 128 },
  { name: 'every sender new, 32 connections', organizations: 16, connections: 32, senders: 'new' },
  { name: 'ungrouped, 1 connection', organizations: 1, connections: 1 },
]

/** Against one statement that stores the same without checking anything. */
export const webhookPairs = (world: World): Pair[] => SHAPES.map((shape) => webhookPair(world, shape))

function webhookPair(world: World, { name, organizations, connections, senders }: Shape): Pair {
  const slugs = INBOUND_SLUGS.slice(0, organizations)
  // Each contender has senders that nobody has seen, from as far apart as numbers go.
  const contender = (server: World['product'], path: (slug: string) => string, firstSender: number): Contender => {
    let first = firstSender
    return {
      server,
      task: (seconds) => {
        const count = Math.ceil(seconds * WEBHOOKS_PER_SECOND)
        const source = inboundSource(slugs, path)
        first += count
        return {
          kind: 'webhooks',
          port: server.port,
          connections,
          seconds,
          count,
          source: senders === 'new' ? { ...source, firstSender: first } : source,
        }
      },
    }
  }
  return {
    name: `inbound webhooks, ${name}`,
    unit: 'messages/s',
    product: contender(world.product, webhookPath, 1_000_000),
    also: [{ name: 'one statement with all rows', contender: contender(world.floor, (slug) => `/whole-webhooks/${slug}`, 9_000_000) }],
    floor: contender(world.floor, (slug) => `/webhooks/${slug}`, 5_000_000),
  }
}
