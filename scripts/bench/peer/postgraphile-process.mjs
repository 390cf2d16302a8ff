import { createServer } from 'node:http'
import { postgraphile } from 'postgraphile'
import { makePgService } from 'postgraphile/adaptors/pg'
import { grafserv } from 'postgraphile/grafserv/node'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'

// PostGraphile 5 as it comes, on all tables, without tokens or row-level security.

const [connectionString] = process.argv.slice(2)
const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString, schemas: ['public'], poolConfig: { max: 8, options: '-c timezone=UTC' } })],
  schema: { defaultBehavior: '+orderBy +filterBy' },
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false },
}
const server = createServer()
server.on('error', (error) => process.send?.({ error: error.message }))
await postgraphile(preset).createServ(grafserv).addTo(server)
server.listen(0, '127.0.0.1', () => process.send?.({ result: server.address().port }))
process.on('disconnect', () => process.exit())
process.on('SIGTERM', () => process.exit())
