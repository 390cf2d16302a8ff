import { readFile } from 'node:fs/promises'
import Fastify from 'fastify'
import mercurius from 'mercurius'
import pg from 'pg'
import { customerSql, inboxSql, queueSql, statsSql, threadSql } from '../floor.sql.ts'

// Parley's own schema, executed by graphql-jit; each query's resolver is one of the floor's statements. Nothing is checked or refused.

const [connectionString, organizationId] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString, max: 8, options: '-c timezone=UTC' })

const answer =
  (name, text) =>
  async (_root, { id }) => {
    const local = id === undefined ? [] : [Buffer.from(id, 'base64').toString().split(':')[1]]
    const { rows } = await pool.query({ name, text, values: [organizationId, ...local] })
    return Object.values(JSON.parse(rows[0].json).data)[0]
  }

const resolvers = {
  Query: {
    conversations: answer('inbox', inboxSql),
    conversation: answer('thread', threadSql),
    customer: answer('customer', customerSql),
    communications: answer('queue', queueSql),
    channelStats: answer('stats', statsSql),
  },
}

const app = Fastify()
app.register(mercurius, { schema: await readFile('schema/schema.graphql', 'utf8'), resolvers, jit: 1 })
await app.listen({ port: 0, host: '127.0.0.1' })
process.send?.({ result: app.server.address().port })
process.on('disconnect', () => process.exit())
process.on('SIGTERM', () => process.exit())
