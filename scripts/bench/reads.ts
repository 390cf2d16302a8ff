import { checkNoErrors, checkSame } from './check-same.ts'
import { byHash, freeForm, graphqlRequest, operation } from './graphql-request.ts'
import type { Contender, Pair } from './measure.ts'
import { NORMAL_SLUG, READ_SLUG } from './seed.ts'
import type { Place, World } from './world.ts'

const CONNECTIONS = 32
const TOP = 500
/** Conversations that fill a page, so that databases of any size are asked for the same. */
const PAGE = 50

/** An operation of schema/operations, and the floor's path. `of`: what is chosen by `id`. */
export type Read = { name: string; operation: string; path: string; of?: 'Conversation' | 'Customer' }

export const reads = {
  inbox: { name: 'inbox page, 25 conversations', operation: 'Inbox', path: '/inbox' },
  thread: { name: 'thread page, last 50', operation: 'ConversationThread', path: '/thread', of: 'Conversation' },
  customer: { name: 'customer workspace, last 50', operation: 'CustomerWorkspace', path: '/customer', of: 'Customer' },
  queue: { name: 'global queue, first 50', operation: 'CommunicationsQueue', path: '/queue' },
  stats: { name: 'channel stats', operation: 'ChannelStats', path: '/stats' },
} satisfies Record<string, Read>

/** As frontends ask, by hash, against one statement that answers the same; then in full, in a document of nobody's, and the peers. */
export async function readPair(world: World, read: Read): Promise<Pair> {
  const ids = await idsOf(world, READ_SLUG, read)
  const floor = ids.map((id) => `GET ${read.path}${id === null ? '' : `/${id}`} HTTP/1.1\r\nHost: bench\r\n\r\n`)
  const text = operation(read.operation)
  const token = await world.token(READ_SLUG)
  const requests = (document: object) => ids.map((id) => graphqlRequest({ ...document, variables: variablesOf(read, id) }, token))
  const [known, full, free] = [requests(byHash(text)), requests({ query: text }), requests({ query: freeForm(text, 'Anything') })]
  const peers: NonNullable<Pair['also']> = []
  for (const { name, server, request } of world.peers) {
    const asked = ids.flatMap((id) => request({ operation: read.operation, text, variables: variablesOf(read, id), id }) ?? [])
    if (asked[0] === undefined) continue
    await checkNoErrors(name, server.port, asked[0])
    peers.push({ name, contender: replaying(server, asked) })
  }
  for (const sent of [known, full, free]) await checkSame(read.name, { port: world.product.port, requests: sent }, world.floor.port, floor)
  return {
    name: read.name,
    unit: 'requests/s',
    product: replaying(world.product, known),
    also: [
      { name: 'the document in full', contender: replaying(world.product, full) },
      { name: 'free-form', contender: replaying(world.product, free) },
      ...peers,
    ],
    floor: replaying(world.floor, floor),
  }
}

/** The inbox with the longest conversations on top, against one of the same size in any order. */
export async function deepPair(world: World): Promise<Pair> {
  return {
    name: 'inbox page, longest conversations on top',
    unit: 'requests/s',
    product: await knownReads(world, world, [READ_SLUG], reads.inbox),
    floor: await knownReads(world, world, [NORMAL_SLUG], reads.inbox),
    floorName: 'conversations in any order',
  }
}

/** The known operation asked of any of the organizations of a database. */
export async function knownReads(world: World, place: Place, slugs: string[], read: Read): Promise<Contender> {
  const document = byHash(operation(read.operation))
  const requests: string[] = []
  for (const slug of slugs) {
    const token = await world.token(slug)
    for (const id of await idsOf(place, slug, read)) requests.push(graphqlRequest({ ...document, variables: variablesOf(read, id) }, token))
  }
  return replaying(place.product, requests)
}

const replaying = (server: World['product'], requests: string[]): Contender => ({
  server,
  task: (seconds) => ({ kind: 'requests', port: server.port, connections: CONNECTIONS, seconds, requests }),
})

const variablesOf = ({ of }: Read, id: string | null): object => (id === null ? {} : { id: Buffer.from(`${of}:${id}`).toString('base64') })

/** Of the rows to ask for; a read that chooses none is asked for once. */
async function idsOf({ pool }: Place, slug: string, { of }: Read): Promise<(string | null)[]> {
  if (of === undefined) return [null]
  const { rows } = await pool.query<{ conversation: string; customer: string }>(
    `SELECT c.id AS conversation, c.customer_id AS customer FROM conversation c JOIN organization o ON o.id = c.organization_id
     WHERE o.slug = $1 AND c.inbound_count + c.outbound_count >= ${PAGE} ORDER BY last_activity_at DESC, c.id DESC LIMIT ${TOP}`,
    [slug],
  )
  return rows.map(({ conversation, customer }) => (of === 'Customer' ? customer : conversation))
}
