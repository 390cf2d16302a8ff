import { startForked, startProduct } from './children.ts'
import { graphqlRequest, operation } from './graphql-request.ts'
import { type Contender, compare, type Pair, type Row } from './measure.ts'
import { backlogSql, removeSendingSql, sendingCustomersSql, sendingOrganizationSql, withdrawSql } from './outbound.sql.ts'
import { READ_SLUG } from './seed.ts'
import type { CleanUp, World } from './world.ts'

const CONNECTIONS = 32
const CUSTOMERS = 2_000
const SLUG = 'bench-out'
const SENDER = '+15005550020'
const TEXT = 'Your order has left our warehouse; it arrives on Thursday between nine and eleven.'

type Options = { rounds: number; seconds: number; profile: string | null }

/** What is accepted, then what a worker delivers, which runs only meanwhile. */
export async function sendPairs(world: World, options: Options, cleanUps: CleanUp[]): Promise<(Pair | (() => Promise<Row>))[]> {
  const conversations = await sendingOrganization(world)
  const delivered = LIMITS.map((limit) => () => deliveredRow(world, limit, options, cleanUps))
  return [await acceptedPair(world, conversations), ...(options.profile === null ? delivered : [])]
}

/** Accepted messages: operation SendMessage with a JWT, against one statement that writes the same without asking anything. */
async function acceptedPair(world: World, conversations: string[]): Promise<Pair> {
  const product = await Promise.all(conversations.map((id) => sendRequest(world, id)))
  const floor = conversations.map((id) => post(`/send/${id}`, TEXT))
  const contender = (server: World['product'], requests: string[]): Contender => ({
    server,
    task: async (seconds) => {
      await world.pool.query(withdrawSql, [SLUG])
      return { kind: 'requests', port: server.port, connections: CONNECTIONS, seconds, requests }
    },
  })
  return {
    name: 'messages accepted to be sent',
    unit: 'messages/s',
    product: contender(world.product, product),
    floor: contender(world.floor, floor),
  }
}

/** Limits of one account, in messages a second: WhatsApp's, and one that is none. */
const LIMITS = [80, 1000]

/** Messages that reach a provider which answers after 50 ms, from a worker in a process of its own. What it has to reach is the limit. */
async function deliveredRow(world: World, limit: number, options: Options, cleanUps: CleanUp[]): Promise<Row> {
  const provider = await startForked('provider-process.ts', [])
  cleanUps.push(provider.stop)
  await world.pool.query(`UPDATE channel_account SET messages_per_second = $1 WHERE address = $2`, [limit, SENDER])
  const worker = await startProduct({ ...world.environment, WORKER: 'only', TWILIO_API_URL: `http://127.0.0.1:${provider.port}` }, false)
  cleanUps.push(worker.stop)
  const name = limit === LIMITS[0] ? `messages delivered, limit ${limit} a second` : 'messages delivered, as fast as it goes'
  process.stderr.write(`  measuring: ${name}\n`)
  const product: Contender = {
    server: worker,
    task: async (seconds) => {
      await world.pool.query(withdrawSql, [SLUG])
      await world.pool.query(backlogSql, [SLUG, Math.ceil(Math.min(limit * 1.2, MOST) * (seconds + 1))])
      return { kind: 'deliveries', provider: provider.port, seconds }
    },
  }
  const row = await compare(world, { name, unit: 'messages/s', product, floor: null }, options)
  await worker.stop()
  await provider.stop()
  return row
}

/** More than any machine delivers in a second. */
const MOST = 600

/** The ids of its conversations. */
async function sendingOrganization({ pool }: World): Promise<string[]> {
  for (const sql of removeSendingSql) await pool.query(sql, [SLUG])
  await pool.query(sendingOrganizationSql, [SLUG, READ_SLUG])
  await pool.query(sendingCustomersSql, [SLUG, CUSTOMERS])
  await pool.query('ANALYZE customer, customer_identity, conversation')
  const { rows } = await pool.query<{ id: string }>(
    'SELECT c.id FROM conversation c JOIN organization o ON o.id = c.organization_id WHERE o.slug = $1',
    [SLUG],
  )
  return rows.map(({ id }) => id)
}

async function sendRequest(world: World, conversationId: string): Promise<string> {
  const to = { conversationId: Buffer.from(`Conversation:${conversationId}`).toString('base64') }
  const variables = { input: { to, content: { text: TEXT } } }
  const query = operation('SendMessage')
  return graphqlRequest({ query, operationName: 'SendMessage', variables }, await world.token(SLUG))
}

const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: bench\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
