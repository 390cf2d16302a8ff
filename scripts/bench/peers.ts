import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Kind, parse, print } from 'graphql'
import { fragmentsOf } from '../../schema/fragments.ts'
import { documentOf } from '../../schema/trusted-documents.ts'
import { type Server, startForked } from './children.ts'
import { graphqlRequest } from './graphql-request.ts'
import type { CleanUp } from './world.ts'

/** An operation that we are asked: its text, variables and, where it is about one row, that row's own id. */
export type Asked = { operation: string; text: string; variables: object; id: string | null }

/** Another GraphQL server on the same tables. `request`: what it is asked instead; null where it cannot answer that. */
export type Peer = { name: string; server: Server; request(asked: Asked): string | null }

const FOLDER = fileURLToPath(new URL('peer', import.meta.url))

/** They check no token. PostGraphile is asked in its own schema for the same rows and fields; Mercurius has our schema over the floor's statements. */
export async function startPeers(databaseUrl: string, organizationId: string, cleanUps: CleanUp[]): Promise<Peer[]> {
  await install()
  const start = async (file: string): Promise<Server> => {
    const server = await startForked(`peer/${file}`, [databaseUrl, organizationId])
    cleanUps.push(server.stop)
    return server
  }
  const queries = await postgraphileQueries()
  return [
    {
      name: 'PostGraphile 5',
      server: await start('postgraphile-process.mjs'),
      request({ operation, id }) {
        const query = queries.get(operation)
        return query === undefined ? null : graphqlRequest({ query, variables: { organizationId, ...(id === null ? {} : { id }) } }, null)
      },
    },
    {
      name: 'Mercurius with jit, the floor’s SQL',
      server: await start('mercurius-process.mjs'),
      request: ({ text, variables }) => graphqlRequest({ query: text, variables }, null),
    },
  ]
}

async function install(): Promise<void> {
  if (existsSync(`${FOLDER}/node_modules`)) return
  process.stderr.write('  installing the peers into scripts/bench/peer (npm install)\n')
  const npm = spawn('npm', ['install', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: FOLDER,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  const [code] = await once(npm, 'exit')
  if (code !== 0) throw new Error(`--peer: npm install in ${FOLDER} ended with ${code}`)
}

/** By our names of the operations that they correspond to. */
async function postgraphileQueries(): Promise<Map<string, string>> {
  const { definitions } = parse(await readFile(`${FOLDER}/postgraphile.graphql`, 'utf8'))
  const fragments = fragmentsOf(definitions)
  return new Map(
    definitions
      .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
      .map((definition) => [definition.name?.value ?? '', print(documentOf(definition, fragments))]),
  )
}
