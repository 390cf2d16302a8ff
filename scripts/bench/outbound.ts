import type { Contender, Pair } from './measure.ts'
import { removeSendingSql, sendingCustomersSql, sendingOrganizationSql } from './outbound.sql.ts'
import { operation } from './reads.ts'
import { READ_SLUG } from './seed.ts'
import type { World } from './world.ts'

const CONNECTIONS = 32
const CUSTOMERS = 2_000
const SLUG = 'bench-out'
const TEXT = 'Your order has left our warehouse; it arrives on Thursday between nine and eleven.'

/** Accepted messages: operation SendMessage with a JWT, against one statement that writes the same without asking anything. */
export async function acceptedPair(world: World): Promise<Pair> {
  const conversations = await sendingOrganization(world)
  const product = await Promise.all(conversations.map((id) => sendRequest(world, id)))
  const floor = conversations.map((id) => post(`/send/${id}`, '', TEXT))
  const contender = (server: World['product'], requests: string[]): Contender => ({
    server,
    task: async (seconds) => {
      await world.pool.query('DELETE FROM graphile_worker._private_jobs; DELETE FROM graphile_worker._private_job_queues')
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
  const body = JSON.stringify({ query: await operation('inbox', 'SendMessage'), operationName: 'SendMessage', variables })
  return post('/graphql', `Authorization: Bearer ${await world.token(SLUG)}\r\nContent-Type: application/json\r\n`, body)
}

const post = (path: string, headers: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: bench\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
