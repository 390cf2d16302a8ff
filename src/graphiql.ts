import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GraphiQLOptions } from 'graphql-yoga'

const OPERATIONS = join(import.meta.dirname, '../schema/operations')

const welcome = `# Parley's graph. Each tab holds one file of schema/operations: choose an operation beside the play button.
# Run InboxEvents in the tab CommunicationReceived, then: npm run simulate -- sms --from +905551112233 "Is my permit ready?"
`

/** The explorer's page: the frontends' operations in tabs and, in development, a token that works. */
export function graphiqlPage(token: () => Promise<string | null>): () => Promise<GraphiQLOptions> {
  return async () => {
    const bearer = await token()
    const headers = JSON.stringify(bearer === null ? { Authorization: 'Bearer <token>' } : { Authorization: `Bearer ${bearer}` }, null, 2)
    const files = (await readdir(OPERATIONS)).filter((name) => name.endsWith('.graphql')).sort()
    const tabs = await Promise.all(files.map(async (name) => ({ query: await readFile(join(OPERATIONS, name), 'utf8'), headers })))
    return {
      title: 'Parley',
      headers,
      defaultQuery: welcome,
      defaultTabs: [
        { query: `${welcome}\nquery Hello {\n  viewer {\n    role\n    unreadCount\n    organization { slug name }\n  }\n}\n`, headers },
        ...tabs,
      ],
      defaultEditorToolsVisibility: 'variables',
      shouldPersistHeaders: false,
    }
  }
}
