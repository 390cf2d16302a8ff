import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { v7 } from 'uuid'
import { WebSocketServer } from 'ws'
import './settling-process.ts'
import { customerSql, inboxSql, queueSql, receiveAllSql, receiveSql, statsSql, threadSql } from './floor.sql.ts'
import { sendSql } from './outbound.sql.ts'

// The floors: node:http and pg with one hand-written prepared statement, and ws with a ready string. Nothing is checked or refused.

const [databaseUrl = '', organizationId = ''] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: databaseUrl, max: 8, options: '-c timezone=UTC' })
const sockets = new WebSocketServer({ noServer: true })
const ready = new Map<number, string>()
const accounts = new Map<string, { id: string; organization_id: string }>()

type Route = (request: IncomingMessage, rest: string) => Promise<{ type: string; body: string }>

const json = (body: string) => ({ type: 'application/json', body })

const read =
  (name: string, text: string): Route =>
  async (_request, id) => {
    const { rows } = await pool.query<{ json: string }>({ name, text, values: id === '' ? [organizationId] : [organizationId, id] })
    return json(rows[0]?.json ?? '')
  }

const receive =
  (name: string, text: string): Route =>
  async (request, path) => {
    const account = accounts.get(path)
    if (account === undefined) throw new Error(`no account for ${path}`)
    const body = await bodyOf(request)
    const form = new URLSearchParams(body.toString('utf8'))
    const values = [
      account.organization_id,
      account.id,
      form.get('MessageSid'),
      body,
      form.get('From'),
      form.get('Body'),
      v7(),
      v7(),
      v7(),
      v7(),
      v7(),
    ]
    await pool.query({ name, text, values })
    return { type: 'text/xml', body: '<Response/>' }
  }

const routes: Record<string, Route> = {
  inbox: read('inbox', inboxSql),
  thread: read('thread', threadSql),
  customer: read('customer', customerSql),
  queue: read('queue', queueSql),
  stats: read('stats', statsSql),
  webhooks: receive('receive', receiveSql),
  'whole-webhooks': receive('receive-all', receiveAllSql),
  async send(request, conversationId) {
    const text = (await bodyOf(request)).toString('utf8')
    const { rows } = await pool.query<{ json: object }>({ name: 'send', text: sendSql, values: [conversationId, v7(), text] })
    return json(JSON.stringify(rows[0]?.json))
  },
  async broadcast(_request, sizes) {
    for (const size of sizes.split(',').map(Number)) {
      const message = ready.get(size) ?? 'x'.repeat(size)
      ready.set(size, message)
      for (const socket of sockets.clients) socket.send(message)
    }
    return json('{}')
  },
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const [, name = '', ...rest] = (request.url ?? '').split('/')
  const route = routes[name]
  if (route === undefined) return void response.writeHead(404).end()
  route(request, rest.join('/')).then(
    ({ type, body }) => response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body),
    (error: Error) => response.writeHead(500).end(error.message),
  )
}

const { rows } = await pool.query<{ slug: string; id: string; organization_id: string }>(
  `SELECT o.slug, a.id, a.organization_id FROM organization o JOIN channel_account a ON a.organization_id = o.id WHERE a.channel = 'SMS'`,
)
for (const { slug, ...account } of rows) accounts.set(slug, account)
const server = createServer(answer)
server.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head, () => {}))
server.listen(0, '127.0.0.1', () => process.send?.({ result: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
process.on('SIGTERM', () => process.exit())
