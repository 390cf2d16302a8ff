import { readFile } from 'node:fs/promises'
import { type FragmentDefinitionNode, Kind, parse, print, visit } from 'graphql'
import type { Pair } from './measure.ts'
import { READ_SLUG } from './seed.ts'
import type { World } from './world.ts'

const CONNECTIONS = 32
const TOP = 500

/** The inbox page as frontends ask for it, against one statement that answers the same bytes. */
export async function inboxPair(world: World): Promise<Pair> {
  const product = [await graphqlRequest(world, 'Inbox', { first: 25 })]
  return readPair(world, 'inbox page, 25 conversations', product, ['GET /inbox HTTP/1.1\r\nHost: bench\r\n\r\n'])
}

/** The newest 50 communications of conversations from the top of the inbox, where the long ones are. */
export async function threadPair(world: World): Promise<Pair> {
  const { rows } = await world.pool.query<{ id: string }>(
    `SELECT c.id FROM conversation c JOIN organization o ON o.id = c.organization_id
     WHERE o.slug = $1 ORDER BY last_activity_at DESC, c.id DESC LIMIT ${TOP}`,
    [READ_SLUG],
  )
  const product = rows.map(({ id }) =>
    graphqlRequest(world, 'ConversationThread', { id: Buffer.from(`Conversation:${id}`).toString('base64'), last: 50 }),
  )
  const floor = rows.map(({ id }) => `GET /thread/${id} HTTP/1.1\r\nHost: bench\r\n\r\n`)
  return readPair(world, 'thread page, last 50', await Promise.all(product), floor)
}

async function readPair(world: World, name: string, product: string[], floor: string[]): Promise<Pair> {
  for (const [index, request] of product.slice(0, 20).entries()) {
    await checkSame(world, name, request, floor[index] ?? '')
  }
  const task = (port: number, requests: string[]) => (seconds: number) =>
    ({ kind: 'requests', port, connections: CONNECTIONS, seconds, requests }) as const
  return {
    name,
    unit: 'requests/s',
    product: { server: world.product, task: task(world.product.port, product) },
    floor: { server: world.floor, task: task(world.floor.port, floor) },
  }
}

// Cursors are opaque, and only the product signs attachment links.
const OWN_SPELLING = new Set(['cursor', 'startCursor', 'endCursor', 'url'])

/** A floor that answers something else would be no floor. */
async function checkSame(world: World, name: string, product: string, floor: string): Promise<void> {
  const [ours, theirs] = await Promise.all([answer(world.product.port, product), answer(world.floor.port, floor)])
  if (ours === theirs) return
  let same = 0
  while (ours[same] === theirs[same]) same++
  const near = (text: string) => text.slice(Math.max(0, same - 100), same + 100)
  throw new Error(`${name}: the server answers\n… ${near(ours)} …\nbut its floor\n… ${near(theirs)} …`)
}

async function answer(port: number, request: string): Promise<string> {
  const [head = '', body = ''] = request.split('\r\n\r\n')
  const [first = '', ...headers] = head.split('\r\n')
  const [method = '', path = ''] = first.split(' ')
  const wanted = headers.map((header) => header.split(': ') as [string, string]).filter(([key]) => !/^(host|content-length)$/i.test(key))
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: wanted, body: method === 'POST' ? body : null })
  return JSON.stringify(JSON.parse(await response.text()), (key, value: unknown) => (OWN_SPELLING.has(key) ? null : value))
}

async function graphqlRequest(world: World, operationName: string, variables: object): Promise<string> {
  const body = JSON.stringify({ query: await operation('inbox', operationName), operationName, variables })
  return (
    `POST /graphql HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${await world.token(READ_SLUG)}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

/** One operation of schema/operations, with the fragments that it uses, as generated clients send it. */
export async function operation(file: string, name: string): Promise<string> {
  const document = parse(await readFile(`schema/operations/${file}.graphql`, 'utf8'))
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  const wanted = document.definitions.filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION && definition.name?.value === name,
  )
  for (const definition of wanted) {
    visit(definition, {
      FragmentSpread({ name: { value } }) {
        const fragment = fragments.get(value)
        if (fragment !== undefined && !wanted.includes(fragment)) wanted.push(fragment)
      },
    })
  }
  return print({ kind: Kind.DOCUMENT, definitions: wanted })
}
