import { createServer } from 'node:http'
import { postgraphile } from 'postgraphile'
import { makePgService } from 'postgraphile/adaptors/pg'
import { grafserv } from 'postgraphile/grafserv/node'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { pgSmartTags } from 'postgraphile/utils'

// PostGraphile 5 as it comes, on all tables, without tokens or row-level security.

const [connectionString] = process.argv.slice(2)
/** Prisma keeps these relations in no foreign key, so PostGraphile has to be told. */
const relations = {
  conversation: [
    '(assignee_id) references member (id)|@fieldName assignee',
    '(channel_account_id) references channel_account (id)|@fieldName channelAccount',
    '(last_communication_id) references communication (id)|@fieldName lastCommunication',
  ],
  communication: [
    '(author_id) references member (id)|@fieldName author',
    '(conversation_id) references conversation (id)|@fieldName conversation|@foreignFieldName communications',
  ],
}
const tags = Object.entries(relations).map(([match, foreignKey]) => ({ kind: 'class', match, tags: { foreignKey } }))

const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [pgSmartTags(tags)],
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
