import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { GraphiQLOptions } from 'graphql-yoga'

const OPERATIONS = join(import.meta.dirname, '../schema/operations')

/** As a newcomer meets them; a file that is not named here comes last. */
const ORDER = [
  'inbox',
  'live',
  'customers',
  'content',
  'attachments',
  'templates',
  'template-sync',
  'automation',
  'channels',
  'webhooks',
  'webchat',
]

function placeOf(file: string): number {
  const place = ORDER.indexOf(basename(file, '.graphql'))
  return place === -1 ? ORDER.length : place
}

// Lines of at most 56 characters: what is longer runs under the buttons.
const hello = (signedIn: boolean): string => `# Parley's graph. Each tab is a file of schema/operations:
# the play button asks which operation to run.
#
# Run InboxEvents in the tab CommunicationReceived, then
#   npm run simulate -- sms --from +905551112233 "Hello"
#
# ${signedIn ? 'You are signed in as the admin of "demo".' : 'You are not signed in.'} A token goes
# into Headers below: { "Authorization": "Bearer …" }

query Hello {
  viewer {
    role
    unreadCount
    organization {
      slug
      name
    }
  }
}
`

/**
 * The explorer's page: the frontends' operations in tabs and, in development, a token that works. It is not among a tab's headers, because
 * the browser keeps tabs: after a reload they would have none, or an old one.
 */
export function graphiqlPage(token: () => Promise<string | null>): (request: Request) => Promise<GraphiQLOptions> {
  return async (request) => {
    const bearer = isNavigation(request) ? await token() : null
    const query = hello(bearer !== null)
    const files = (await readdir(OPERATIONS)).filter((name) => name.endsWith('.graphql')).sort((a, b) => placeOf(a) - placeOf(b))
    const tabs = await Promise.all(files.map(async (name) => ({ query: await readFile(join(OPERATIONS, name), 'utf8') })))
    return {
      title: 'Parley',
      query,
      defaultTabs: [{ query }, ...tabs],
      ...(bearer === null ? {} : { additionalHeaders: { Authorization: `Bearer ${bearer}` } }),
      defaultEditorToolsVisibility: 'variables',
      shouldPersistHeaders: false,
    }
  }
}

/** False where a script of another site reads the page, which CORS lets it do: the token is for people. Source: https://www.w3.org/TR/fetch-metadata/ */
const isNavigation = (request: Request): boolean => (request.headers.get('sec-fetch-mode') ?? 'navigate') === 'navigate'
